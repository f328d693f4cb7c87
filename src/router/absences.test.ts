/** A client that leaves takes its upload along also while nobody reads it, as far as TCP or HTTP/2 tells of its leaving. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import {
  END_HEADERS,
  frame,
  onFrame,
  PREFACE,
  request,
  TYPE,
} from '../../test/fixtures/http2-frames.ts';
import {
  APP,
  APP_HOST,
  dial,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
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
] as const)(
  'over HTTP/1.1, by a reset, while it waits for %s (%s)',
  async (_name, how, isWaiting) => {
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
  },
);

/** Sends data on stream 1 whenever there is room for it. */
function pump(socket: Socket): void {
  const piece = Buffer.alloc(16_384);
  const left = [65_535, 65_535];
  const send = () => {
    while (left.every((bytes) => bytes >= piece.length)) {
      for (const at of [0, 1]) left[at]! -= piece.length;
      socket.write(frame(TYPE.data, 0, 1, piece));
    }
  };
  onFrame(socket, ({ type, stream, payload }) => {
    if (type !== TYPE.windowUpdate) return;
    left[stream]! += payload.readUInt32BE(0);
    send();
  });
  send();
}

it.each([
  ['that nothing was wrong', 0],
  ['that it is not wanted any more', 8],
])('over HTTP/2, by a reset that says %s', async (_name, code) => {
  world = await startWorld();
  await world.fleet.serve(APP, (req) => req.pause());
  const connected = once(world.router.server, 'connection') as Promise<[Socket]>;
  const socket = await dial(world);
  const [reader] = await connected;
  socket.on('error', () => {});
  const head = request('POST', APP_HOST, '/');
  socket.write(Buffer.concat([PREFACE, frame(TYPE.headers, END_HEADERS, 1, head)]));
  pump(socket);
  await until(() => world.fleet.active === 1);
  await standstill(reader);
  socket.write(frame(TYPE.reset, 0, 1, Buffer.from([0, 0, 0, code])));
  await until(() => world.records.length === 1);
  expect(world.records[0]).toMatchObject({ status: 0, aborted: true });
  expect(world.fleet.active).toBe(0);
  socket.destroy();
});
