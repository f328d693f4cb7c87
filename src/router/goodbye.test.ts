/** WebSockets whose instance has to go get 1012 between two frames, however much streams both ways at that moment. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type ClientHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { APP, APP_HOST, startWorld, until, type World } from '../../test/fixtures/router-world.ts';
import type { LocalInstance } from '../../test/fixtures/local-fleet.ts';

let world: World;
let sessions: ClientHttp2Session[];

beforeEach(async () => {
  world = await startWorld();
  sessions = [];
});

afterEach(async () => {
  for (const session of sessions) session.destroy();
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

/** What one end saw. */
interface Seen {
  code: number | undefined;
  reason: string;
  readonly errors: string[];
  messages: number;
  bytes: number;
}

function watch(socket: WebSocket): Seen {
  const seen: Seen = { code: undefined, reason: '', errors: [], messages: 0, bytes: 0 };
  socket.on('message', (data: Buffer) => {
    seen.messages += 1;
    seen.bytes += data.length;
    // Every byte of a message is its own count: a frame of somebody else's in between would show.
    if (data.length > 0 && !data.equals(Buffer.alloc(data.length, data[0]))) {
      seen.errors.push('a message was mangled');
    }
  });
  socket.on('error', (error) => seen.errors.push(String(error)));
  socket.on('close', (code, reason) => {
    seen.code = code;
    seen.reason = reason.toString();
  });
  return seen;
}

/** Sends as fast as the socket takes it: small, large, whole and in fragments. */
function stream(socket: WebSocket): void {
  let count = 0;
  const next = () => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > 1024 * 1024) {
      setImmediate(next);
      return;
    }
    count += 1;
    const bytes = [0, 5, 125, 126, 40_000, 65_535, 65_536, 300_000][count % 8]!;
    const data = Buffer.alloc(bytes, count % 251);
    if (count % 3 === 0) {
      socket.send(data.subarray(0, bytes / 2), { fin: false });
      socket.send(data.subarray(bytes / 2), { fin: true }, next);
    } else socket.send(data, next);
  };
  next();
}

interface App {
  readonly instance: LocalInstance;
  readonly seen: Seen[];
}

async function serve(
  perMessageDeflate: boolean,
  onSocket: (socket: WebSocket) => void,
): Promise<App> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate });
  const seen: Seen[] = [];
  sockets.on('connection', (socket) => {
    seen.push(watch(socket));
    onSocket(socket);
  });
  return { instance: await world.fleet.adopt(APP, server), seen };
}

function dialHttp1(perMessageDeflate: boolean): Promise<WebSocket> {
  const url = `ws://127.0.0.1:${world.port}/`;
  return Promise.resolve(new WebSocket(url, { headers: { host: APP_HOST }, perMessageDeflate }));
}

/** What it takes by default when it dials itself. */
const CLIENT: object = { autoPong: true, closeTimeout: 30_000 };

/** The same client on a stream of HTTP/2, which it knows nothing of: what it was made for from there on. */
async function dialHttp2(): Promise<WebSocket> {
  const session = connect(`http://127.0.0.1:${world.port}`);
  sessions.push(session);
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  const carrier = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':authority': APP_HOST,
      ':path': '/',
      'sec-websocket-version': '13',
    },
    { endStream: false },
  );
  await once(carrier, 'response');
  const socket = new WebSocket(null as unknown as string, [], CLIENT) as WebSocket & {
    _isServer: boolean;
    setSocket(carrier: Duplex, head: Buffer, options: object): void;
  };
  socket._isServer = false;
  socket.setSocket(carrier, Buffer.alloc(0), { maxPayload: 64 * 1024 * 1024 });
  return socket;
}

async function opened(socket: WebSocket): Promise<WebSocket> {
  if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
  return socket;
}

const WAYS: readonly [string, boolean, () => Promise<WebSocket>][] = [
  ['HTTP/1.1', false, () => dialHttp1(false)],
  ['HTTP/1.1 with compression', true, () => dialHttp1(true)],
  ['HTTP/2', false, dialHttp2],
];

describe.each(WAYS)('a WebSocket over %s', (_name, isCompressed, dial) => {
  it('at rest gets 1012, and so does the app, and both connections close', async () => {
    const app = await serve(isCompressed, () => {});
    const socket = await opened(await dial());
    const seen = watch(socket);
    await until(() => app.seen.length === 1);
    app.instance.lost.abort();
    await until(() => seen.code !== undefined && app.seen[0]?.code !== undefined);
    expect(seen).toMatchObject({
      code: 1012,
      reason: 'the instance is being replaced',
      errors: [],
    });
    expect(app.seen[0]).toMatchObject({ code: 1012, errors: [] });
    await until(() => world.fleet.active === 0);
  });

  it('that streams heavily both ways gets 1012 and never a broken frame, five times over', async () => {
    for (let round = 0; round < 5; round += 1) {
      const app = await serve(isCompressed, stream);
      const socket = await opened(await dial());
      const seen = watch(socket);
      stream(socket);
      await until(
        () => seen.bytes > 2_000_000 * (round / 5) && (app.seen[0]?.messages ?? 0) > round,
      );
      app.instance.lost.abort();
      await until(() => seen.code !== undefined && app.seen[0]?.code !== undefined);
      expect(seen).toMatchObject({ code: 1012, errors: [] });
      expect(app.seen[0]).toMatchObject({ code: 1012, errors: [] });
      await until(() => world.fleet.active === 0);
      await app.instance.kill();
    }
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(Array(5).fill('done'));
  });

  it('gets 1012 when Berth closes, and does not hold it up', async () => {
    const app = await serve(isCompressed, stream);
    const socket = await opened(await dial());
    const seen = watch(socket);
    await until(() => seen.bytes > 500_000);
    await world.router.close();
    expect(world.fleet.active).toBe(0);
    await until(() => seen.code !== undefined);
    expect(seen).toMatchObject({ code: 1012, errors: [] });
    expect(app.seen[0]).toMatchObject({ code: 1012, errors: [] });
  });

  it('whose client never answers is cut after a while', async () => {
    await world.stop();
    world = await startWorld({ limits: { goodbyeMs: 100 } });
    const app = await serve(isCompressed, () => {});
    const socket = await opened(await dial());
    await until(() => app.seen.length === 1);
    socket.pause();
    app.instance.lost.abort();
    await until(() => world.fleet.active === 0);
    expect(app.seen[0]?.code).toBe(1012);
    socket.terminate();
  });

  it('that says goodbye by itself keeps its own code', async () => {
    const app = await serve(isCompressed, (socket) =>
      socket.on('message', () => socket.close(4002)),
    );
    const socket = await opened(await dial());
    const seen = watch(socket);
    socket.send('x');
    await until(() => seen.code !== undefined);
    app.instance.lost.abort();
    expect(seen).toMatchObject({ code: 4002, errors: [] });
    await until(() => world.fleet.active === 0);
  });
});
