/** A client that leaves in the middle of an upload that nobody reads: its request ends, and its lease with it. */
import { connect as connectSession, type ClientHttp2Stream } from 'node:http2';
import { type AddressInfo, connect as connectPlain, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { connect as connectSecure } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { APP, APP_HOST, startWorld, until, type World } from '../../test/fixtures/router-world.ts';
import { foreignPair } from '../tls/fixtures/world.ts';
import type { RouterLimits } from './limits.ts';

const { pair, authority } = await foreignPair([APP_HOST, 'berth.localhost']);
const ca = authority.certificate;

let world: World;
/** Lets the app read. */
let readOn: () => void;

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

/** An app that takes connections and reads nothing. */
async function start(durationMs = 600_000): Promise<void> {
  world = await startWorld({
    durationMs: () => durationMs,
    secure: { tls: { cert: pair.certificate, key: pair.key } },
  });
  await new Promise<void>((resolve) => {
    world.router.secureServer!.listen(0, '127.0.0.1', resolve);
  });
  await world.fleet.serve(APP, (req) => {
    readOn = () => void req.resume();
    return new Promise(() => {});
  });
}

async function dial(isSecure: boolean, protocol: string): Promise<Socket> {
  const { port } = (
    isSecure ? world.router.secureServer! : world.router.server
  ).address() as AddressInfo;
  const to = { host: '127.0.0.1', port, allowHalfOpen: true };
  const socket = isSecure
    ? connectSecure({ ...to, ca, servername: APP_HOST, ALPNProtocols: [protocol] })
    : connectPlain(to);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once(isSecure ? 'secureConnect' : 'connect', resolve));
  return socket;
}

/** As much as it takes, and on whenever it takes more. */
function pourInto(target: Writable): void {
  const pour = () => {
    while (target.writable && target.write(Buffer.alloc(64 * 1024)));
  };
  target.on('drain', pour);
  pour();
}

/** Until nothing more goes through: all between client and app is full. */
async function untilStalled(bytesWritten: () => number): Promise<void> {
  let last = -1;
  let since = performance.now();
  await until(() => {
    const now = performance.now();
    if (bytesWritten() !== last) {
      last = bytesWritten();
      since = now;
    }
    return world.fleet.active === 1 && now - since > 300;
  });
}

const ways = [
  ['plain', false],
  ['TLS', true],
] as const;

describe.each(ways)('over HTTP/1.1, %s', (_name, isSecure) => {
  // Its end comes behind what it sent, and TCP has no room for that: who does not read cannot know.
  it('a client that destroys its socket is seen to be gone as soon as the app reads on', async () => {
    await start();
    const socket = await dial(isSecure, 'http/1.1');
    socket.write(`POST / HTTP/1.1\r\nhost: ${APP_HOST}\r\ncontent-length: 900000000\r\n\r\n`);
    pourInto(socket);
    await untilStalled(() => socket.bytesWritten);
    socket.destroy();
    readOn();
    await until(() => world.fleet.active === 0);
    expect(world.records[0]).toMatchObject({ aborted: true });
  });

  it('a client that destroys its socket holds its lease no longer than limits.duration', async () => {
    await start(2_000);
    const socket = await dial(isSecure, 'http/1.1');
    socket.write(`POST / HTTP/1.1\r\nhost: ${APP_HOST}\r\ncontent-length: 900000000\r\n\r\n`);
    pourInto(socket);
    await until(() => world.fleet.active === 1);
    socket.destroy();
    await until(() => world.fleet.active === 0);
  });
});

describe.each(ways)('over HTTP/2, %s', (_name, isSecure) => {
  it.each<[string, (stream: ClientHttp2Stream, socket: Socket) => void]>([
    ['aborts the stream', (stream) => stream.close(8)],
    ['closes the stream without an error', (stream) => stream.close(0)],
    [
      'says that it goes and half-closes its socket',
      (stream, socket) => {
        stream.session?.goaway();
        socket.end();
      },
    ],
    ['destroys the session', (stream) => stream.session?.destroy()],
    ['destroys its socket', (_stream, socket) => void socket.destroy()],
    ['half-closes its socket', (_stream, socket) => void socket.end()],
  ])('a client that %s', async (_how, leave) => {
    await start();
    const socket = await dial(isSecure, 'h2');
    const session = connectSession('http://localhost', { createConnection: () => socket });
    session.on('error', () => {});
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': APP_HOST });
    stream.on('error', () => {});
    pourInto(stream);
    await untilStalled(() => socket.bytesWritten);
    leave(stream, socket);
    await until(() => world.fleet.active === 0);
    expect(world.records[0]).toMatchObject({ aborted: true });
    session.destroy();
    socket.destroy();
  });
});

describe('a client of HTTP/2 that keeps its side of the connection open', () => {
  async function open(limits: Partial<RouterLimits>): Promise<Socket> {
    world = await startWorld({ limits });
    const socket = await dial(false, 'h2c');
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
    let heard = 0;
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    await until(() => heard > 0);
    return socket;
  }

  it('is not waited for when the router closes', async () => {
    const socket = await open({ closeMs: 50 });
    await world.router.close();
    socket.destroy();
  });

  it('without any request is not kept', async () => {
    const socket = await open({ headersTimeoutMs: 100 });
    const connections = () =>
      new Promise<number>((resolve) => {
        world.router.server.getConnections((_error, count) => resolve(count));
      });
    await until(async () => (await connections()) === 0);
    socket.destroy();
  });
});
