/** What a hostile or broken client may cost is bounded: each bound is met here and named by what happens then. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
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

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const NOTHING = Buffer.alloc(0);
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  frame(4, 0, 0, NOTHING),
]);

/** HPACK without compression: each a literal with a name of its own. */
function block(...headers: [string, string][]): Buffer {
  return Buffer.concat(
    headers.map(([name, value]) =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name, 'latin1'),
        Buffer.from([value.length]),
        Buffer.from(value, 'latin1'),
      ]),
    ),
  );
}

const REQUEST = block(
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', APP_HOST],
  [':path', '/never'],
);

/** Sends until the other side has closed. */
async function flood(socket: Socket, next: (turn: number) => Buffer): Promise<number> {
  let turn = 0;
  socket.on('error', () => {});
  socket.resume();
  while (!socket.destroyed && !socket.readableEnded) {
    socket.write(next(turn));
    turn += 1;
    if (turn > 20_000) throw new Error('it was let go on for ever');
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.destroy();
  return turn;
}

describe('a flood of HTTP/2', () => {
  const id = (turn: number) => turn * 2 + 1;
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);

  it.each<[string, (turn: number) => Buffer]>([
    [
      'of resets',
      (turn) => Buffer.concat([frame(1, 5, id(turn), REQUEST), frame(3, 0, id(turn), cancel)]),
    ],
    ['of pings', () => frame(6, 0, 0, Buffer.alloc(8))],
    ['of settings', () => frame(4, 0, 0, NOTHING)],
    [
      'of continuations',
      (turn) =>
        turn === 0 ? frame(1, 1, 1, REQUEST) : frame(9, 0, 1, block([`x-${turn}`, 'a'.repeat(50)])),
    ],
    ['of frames of no stream', (turn) => frame(0, 0, id(turn), Buffer.from('x'))],
  ])('%s ends its connection, and others are served', async (_name, next) => {
    await start({ http2Resets: 50, http2ControlFrames: 50 });
    const socket = await dial(world);
    socket.write(PREFACE);
    expect(await flood(socket, next)).toBeLessThan(2_000);
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
    socket.write(Buffer.concat([PREFACE, frame(1, 5, 1, block(...headers))]));
    // A ping behind it: what comes before its answer was seen.
    socket.write(frame(6, 0, 0, Buffer.alloc(8)));
    await once(socket, 'data');
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
    socket.write(Buffer.concat([PREFACE, frame(1, 5, 1, evil)]));
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

  it.each([
    ['nothing', ''],
    ['two letters of the preface', 'PR'],
    ['the preface and no request', PREFACE.toString('latin1')],
    [
      'headers that never end',
      Buffer.concat([PREFACE, frame(1, 1, 1, REQUEST)]).toString('latin1'),
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
    world = await startWorld({ limits: { totalReplayBytes: 10 } });
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
