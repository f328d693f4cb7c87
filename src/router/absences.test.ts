/** A client whose connection is reset takes its upload along also while nobody reads it. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { APP, APP_HOST, startWorld, until, type World } from '../../test/fixtures/router-world.ts';
import { foreignPair } from '../tls/fixtures/world.ts';

const { pair } = await foreignPair([APP_HOST]);

let world: World;

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

/** Of the router's side of the connection; resolves when nothing is read from it any more. */
async function standstill(reader: Socket): Promise<void> {
  let last = -1;
  let turns = 0;
  await until(() => {
    turns = reader.bytesRead === last ? turns + 1 : 0;
    last = reader.bytesRead;
    return turns === 500;
  });
}

it.each([
  ['an app that does not read', 'plain', false],
  ['an app that does not read', 'tls', false],
  ['an instance', 'plain', true],
] as const)('waiting for %s (%s)', async (_name, how, isWaiting) => {
  const secure = { tls: { cert: pair.certificate, key: pair.key } };
  world = await startWorld({ secure, limits: { absenceMs: 50 } });
  await world.fleet.serve(APP, (req) => req.pause());
  if (isWaiting) world.fleet.gate = new Promise(() => {});
  const server = how === 'plain' ? world.router.server : world.router.secureServer!;
  if (how === 'tls') await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const [reader] = await connected;
  const writer = how === 'plain' ? socket : connectSecure({ socket, rejectUnauthorized: false });
  writer.on('error', () => {});
  if (how === 'tls') await once(writer, 'secureConnect');
  writer.write(`POST / HTTP/1.1\r\nhost: ${APP_HOST}\r\ncontent-length: 100000000\r\n\r\n`);
  writer.write(Buffer.alloc(50_000_000));
  await until(() => (isWaiting ? world.fleet.waiting : world.fleet.active) === 1);
  await standstill(reader);
  expect(world.records).toEqual([]);
  socket.resetAndDestroy();
  await until(() => world.records.length === 1);
  expect(world.records[0]).toMatchObject({ status: 0, aborted: true });
  expect(world.fleet.active + world.fleet.waiting).toBe(0);
});
