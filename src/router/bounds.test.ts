/** What a hostile or broken client may cost is bounded: each bound is met here and named by what happens then. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, constants } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  onFrame,
  PREFACE,
  request,
  TYPE,
} from '../../test/fixtures/http2-frames.ts';
import {
  APP,
  APP_HOST,
  call,
  dial,
  readAll,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
import { foreignPair } from '../tls/fixtures/world.ts';
import type { RouterLimits } from './limits.ts';

let world: World;

async function start(limits: Partial<RouterLimits>): Promise<void> {
  world = await startWorld({ limits });
  await world.fleet.serve(APP, (req, res) => {
    if (req.url === '/large') res.end(Buffer.alloc(50_000_000));
    else if (req.url !== '/never') res.end('ok');
  });
}

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

/** A request without a body on the first stream. */
const get = (headers: Buffer) => frame(TYPE.headers, END_HEADERS | END_STREAM, 1, headers);
const NEVER = request('GET', APP_HOST, '/never');

/** More than any bound of these tests lets through, and less than what holds without one. */
const MANY = 500;

/** Sends, each time when the last was read, until the other side has closed. */
async function flood(next: (turn: number) => Buffer, most = MANY): Promise<void> {
  let reader: Socket | undefined;
  world.router.server.once('connection', (socket: Socket) => {
    reader = socket;
  });
  const socket = await dial(world);
  const isOpen = () => !socket.destroyed && !socket.readableEnded;
  socket.on('error', () => {});
  socket.resume();
  socket.write(PREFACE);
  try {
    for (let turn = 0; isOpen(); turn += 1) {
      if (turn === most) throw new Error(`${most} were let through`);
      socket.write(next(turn));
      await until(() => reader?.bytesRead === socket.bytesWritten || !isOpen());
    }
  } finally {
    socket.destroy();
  }
}

describe('a flood of HTTP/2', () => {
  const post = () => frame(TYPE.headers, END_HEADERS, 1, request('POST', APP_HOST, '/never'));
  const id = (turn: number) => turn * 2 + 1;
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  const head = (turn: number) => frame(TYPE.headers, END_HEADERS | END_STREAM, id(turn), NEVER);
  const settings = Buffer.concat(
    Array.from({ length: 40 }, (_, at) => Buffer.from([0xf0, at, 0, 0, 0, 0])),
  );

  it.each<[string, (turn: number) => Buffer, most?: number]>([
    ['of resets', (turn) => Buffer.concat([head(turn), frame(TYPE.reset, 0, id(turn), cancel)])],
    ['of pings', () => frame(TYPE.ping, 0, 0, Buffer.alloc(8))],
    ['of settings', () => frame(TYPE.settings, 0, 0)],
    ['of settings in one frame', () => frame(TYPE.settings, 0, 0, settings), 10],
    [
      'of continuations',
      (turn) =>
        turn === 0
          ? frame(TYPE.headers, END_STREAM, 1, NEVER)
          : frame(TYPE.continuation, 0, 1, block([`x-${turn}`, 'a'.repeat(50)])),
    ],
    ['of frames of no stream', (turn) => frame(TYPE.data, 0, id(turn), Buffer.from('x'))],
    ['of streams beyond the bound', head],
    ['of data without any bytes', (turn) => (turn === 0 ? post() : frame(TYPE.data, 0, 1))],
  ])('%s ends its connection, and others are served', async (_name, next, most) => {
    await start({ http2Resets: 50, http2ControlFrames: 50, http2Streams: 5 });
    await flood(next, most);
    expect(world.fleet.active).toBeLessThanOrEqual(5);
    expect((await call(world)).text).toBe('ok');
    await until(() => world.fleet.active === 0);
  });

  it('of streams at once never reaches the apps: beyond the bound they wait with the client', async () => {
    await start({ http2Streams: 5 });
    const session = connect(`http://127.0.0.1:${world.port}`);
    session.on('error', () => {});
    const [settings] = (await once(session, 'remoteSettings')) as [object];
    expect(settings).toMatchObject({ maxConcurrentStreams: 5, maxHeaderListSize: 32 * 1024 });
    for (let turn = 0; turn < 50; turn += 1) {
      session.request({ ':authority': APP_HOST, ':path': '/never' }).on('error', () => {});
    }
    await until(() => world.fleet.active === 5);
    expect((await call(world)).text).toBe('ok');
    expect(world.fleet.acquired).toBe(6);
    session.destroy();
    await until(() => world.fleet.active === 0);
  });
});

describe('a request of HTTP/2 that breaks the rules', () => {
  const good: [string, string][] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', APP_HOST],
    [':path', '/'],
  ];
  it.each<[string, [string, string][]]>([
    ['a name in upper case', [...good, ['X-Upper', '1']]],
    ['a header of the connection', [...good, ['connection', 'close']]],
    ['an encoding of HTTP/1.1', [...good, ['transfer-encoding', 'chunked']]],
    ['te other than trailers', [...good, ['te', 'gzip']]],
    ['no path', good.slice(0, 3)],
    ['no method', good.slice(1)],
    ['two paths', [...good, [':path', '/other']]],
    ['a pseudo-header it does not know', [...good, [':own', '1']]],
    ['a pseudo-header behind a header', [...good.slice(0, 3), ['x-a', '1'], [':path', '/']]],
    ['a line break in a path', [...good.slice(0, 3), [':path', '/ HTTP/1.1\r\nx-smuggled: 1']]],
    ['a space in a path', [...good.slice(0, 3), [':path', '/a b']]],
    ['a method that is none', [[':method', 'GET / HTTP/1.1'], ...good.slice(1)]],
    ['a length and less body', [...good, ['content-length', '5']]],
    ['two hosts', [...good, ['host', 'other.localhost']]],
    ['an authority that is none', [...good.slice(0, 2), [':authority', 'a b'], [':path', '/']]],
  ])('never reaches an app: %s', async (_name, headers) => {
    await start({});
    const socket = await dial(world);
    socket.on('error', () => {});
    socket.resume();
    socket.write(Buffer.concat([PREFACE, get(block(...headers))]));
    // A ping behind it: what comes before its answer was seen.
    socket.write(frame(TYPE.ping, 0, 0, Buffer.alloc(8)));
    await once(socket, 'data');
    expect((await call(world)).text).toBe('ok');
    expect(world.fleet.acquired).toBe(1);
    socket.destroy();
  });

  it.each<[string, Partial<RouterLimits>, number]>([
    ['that are too large, which are answered', { headerBytes: 2_000 }, TYPE.headers],
    // Before they are kept: a byte can stand for a whole header that was said before.
    ['of which there are too many, whose stream is reset', { headerCount: 20 }, TYPE.reset],
  ])('never reaches an app: headers %s', async (_name, limits, reply) => {
    await start(limits);
    const socket = await dial(world);
    socket.on('error', () => {});
    let hasPong = false;
    let first: number | undefined;
    onFrame(socket, ({ type, stream }) => {
      hasPong ||= type === TYPE.ping;
      if (stream === 1) first ??= type;
    });
    const many = Array.from({ length: 30 }, (_, at): [string, string] => [
      `x-${at}`,
      'a'.repeat(100),
    ]);
    socket.write(Buffer.concat([PREFACE, get(block(...good, ...many))]));
    socket.write(frame(TYPE.ping, 0, 0, Buffer.alloc(8)));
    await until(() => hasPong && first !== undefined);
    expect(first).toBe(reply);
    expect((await call(world)).text).toBe('ok');
    expect(world.fleet.acquired).toBe(1);
    socket.destroy();
  });

  it('by a line break in a header brings no other header to the app', async () => {
    world = await startWorld();
    const seen: string[] = [];
    await world.fleet.serve(APP, (req, res) => {
      seen.push(...req.rawHeaders);
      res.end();
    });
    const socket = await dial(world);
    socket.on('error', () => {});
    socket.resume();
    const evil = block(...good, ['x-a', 'b\r\nx-smuggled: 1']);
    socket.write(Buffer.concat([PREFACE, get(evil)]));
    await call(world);
    expect(seen).not.toContain('x-smuggled');
    expect(seen.join()).not.toContain('\n');
    socket.destroy();
  });
});

describe('a client', () => {
  it('that takes nothing of its answer is cut off, over HTTP/1.1', async () => {
    await start({ writeTimeoutMs: 100 });
    const socket = await dial(world);
    socket.on('error', () => {});
    socket.pause();
    socket.write(`GET /large HTTP/1.1\r\nhost: ${APP_HOST}\r\n\r\n`);
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ aborted: true });
    socket.destroy();
  });

  it('that takes nothing of its answer is cut off, over HTTP/2', async () => {
    await start({ writeTimeoutMs: 100 });
    const session = connect(`http://127.0.0.1:${world.port}`);
    const stream = session.request({ ':authority': APP_HOST, ':path': '/large' });
    stream.on('error', () => {});
    stream.pause();
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ aborted: true });
    session.destroy();
  });

  it('may hold so many connections and no more, until one of them ends', async () => {
    await start({ socketsPerClient: 3 });
    const held = await Promise.all([dial(world), dial(world), dial(world)]);
    for (const socket of held) socket.resume();
    const answer = await readAll(await dial(world));
    expect(answer).toMatch(/^HTTP\/1\.1 429 /);
    expect(answer).toContain('x-berth-error: TOO_MANY_CONNECTIONS');
    held.pop()?.destroy();
    await until(async () => (await call(world).catch(() => undefined))?.status === 200);
    for (const socket of held) socket.destroy();
  });

  it('over TLS is counted among the same', async () => {
    const { pair } = await foreignPair([APP_HOST]);
    const secure = { tls: { cert: pair.certificate, key: pair.key } };
    world = await startWorld({ limits: { socketsPerClient: 2 }, secure });
    await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    const server = world.router.secureServer!;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const held = await Promise.all([dial(world), dial(world)]);
    const one = connectSecure({ port, rejectUnauthorized: false });
    one.on('error', () => {});
    await until(() => one.destroyed);
    held.pop()?.destroy();
    await until(async () => {
      const other = connectSecure({ port, rejectUnauthorized: false });
      other.on('error', () => {});
      await until(() => other.destroyed || other.authorizationError !== undefined);
      const isLet = !other.destroyed;
      other.destroy();
      return isLet;
    });
    for (const socket of held) socket.destroy();
  });

  it.each([
    ['HTTP/1.1', `GET / HTTP/1.1\r\nhost: ${APP_HOST}\r\n\r\n`],
    ['HTTP/2', Buffer.concat([PREFACE, get(request('GET', APP_HOST, '/'))]).toString('latin1')],
  ])('that rests after its answer is not kept for ever, over %s', async (_name, bytes) => {
    await start({ keepAliveTimeoutMs: 50 });
    const socket = await dial(world);
    const closed = readAll(socket);
    socket.write(bytes, 'latin1');
    await until(() => world.records.length === 1);
    await closed;
  });

  it.each([
    ['nothing', ''],
    ['two letters of the preface', 'PR'],
    ['the preface and no request', PREFACE.toString('latin1')],
    [
      'headers that never end',
      Buffer.concat([PREFACE, frame(TYPE.headers, END_STREAM, 1, NEVER)]).toString('latin1'),
    ],
  ])('that says %s is not waited for', async (_name, bytes) => {
    await start({ headersTimeoutMs: 50, keepAliveTimeoutMs: 50 });
    const socket = await dial(world);
    const closed = readAll(socket);
    socket.write(bytes, 'latin1');
    await closed;
  });

  it('that is gone without a word is asked by TCP whether it is there', async () => {
    await start({});
    const socket = await dial(world);
    socket.resume();
    const local = `0100007F:${world.port.toString(16).toUpperCase().padStart(4, '0')}`;
    const timer = async () =>
      (await readFile('/proc/self/net/tcp', 'utf8'))
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .find((row) => row[1] === local && row[3] === '01')?.[5]
        ?.slice(0, 2);
    await until(async () => (await timer()) !== undefined);
    expect(await timer()).toBe('02');
    socket.destroy();
  });
});

describe('bodies held so that they can be sent again', () => {
  it('are held within one budget for all; without room they pass, but are not sent twice', async () => {
    world = await startWorld({ limits: { totalReplayBytes: 20 } });
    let count = 0;
    await world.fleet.serve(APP, async (req, res) => {
      let text = '';
      for await (const chunk of req) text += String(chunk);
      count += 1;
      if (req.url === '/first' && count === 1) req.socket.destroy();
      else res.end(text);
    });
    const small = { method: 'PUT', path: '/first', body: 'ten bytes.' };
    expect((await call(world, small)).text).toBe('ten bytes.');
    expect(count).toBe(2);
    count = 0;
    const large = { ...small, body: 'eleven byte' };
    const reply = await call(world, large);
    expect(reply.status).toBe(502);
    expect(reply.text).toContain('part of the body is gone');
    expect((await call(world, { ...large, path: '/' })).text).toBe('eleven byte');
    count = 0;
    // What was held is free again.
    expect((await call(world, small)).text).toBe('ten bytes.');
    expect(count).toBe(2);
  });
});
