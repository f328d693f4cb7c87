/** Many clients that are slow, or send what costs them nothing: memory stays bounded, they are ended, and others are served meanwhile. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  END_HEADERS,
  frame,
  PADDED,
  PREFACE,
  request,
  room,
  TYPE,
} from '../../test/fixtures/http2-frames.ts';
import {
  APP,
  APP_HOST,
  call,
  dial,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
import type { RouterOptions } from './router.ts';

const MEBIBYTE = 1024 * 1024;
const CROWD = 50;

let world: World;
let sockets: Socket[];

async function start(options: Partial<RouterOptions>): Promise<void> {
  sockets = [];
  world = await startWorld(options);
  await world.fleet.serve(APP, (req, res) => {
    if (req.url === '/endless') pour(req, res);
    else if (req.url === '/swallow') req.resume().on('end', () => res.end('swallowed'));
    else res.end('ok');
  });
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

/** An answer without end, written only as fast as it is taken. */
function pour(req: IncomingMessage, res: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024);
  const write = () => {
    while (!res.destroyed && res.write(chunk));
  };
  res.on('drain', write);
  req.on('close', () => res.destroy());
  write();
}

/** Many connections that say the same; what they are told is thrown away. */
async function crowd(bytes: string): Promise<void> {
  sockets = await Promise.all(Array.from({ length: CROWD }, () => dial(world)));
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.write(bytes, 'latin1');
  }
}

const isEnded = (socket: Socket) => socket.readableEnded || socket.destroyed;

/** Bytes that this process, which is router, app and clients at once, holds in buffers and objects. */
function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The most that is held beyond the begin until `isOver`; others are served all the while. */
async function growthUntil(isOver: () => boolean): Promise<number> {
  const before = heldBytes();
  let most = 0;
  await until(async () => {
    expect((await call(world)).text).toBe('ok');
    most = Math.max(most, heldBytes() - before);
    return isOver();
  });
  return most;
}

describe('a crowd of clients', () => {
  it('whose headers never end is ended', async () => {
    await start({ limits: { headersTimeoutMs: 500 } });
    await crowd(`GET / HTTP/1.1\r\nHost: ${APP_HOST}\r\nX-A: `);
    for (const socket of sockets) socket.resume();
    const drip = () => {
      for (const socket of sockets) if (socket.writable) socket.write('a');
      return sockets.every(isEnded);
    };
    expect(await growthUntil(drip)).toBeLessThan(64 * MEBIBYTE);
    // One for each that was served meanwhile: the slow ones never got so far.
    await until(() => world.fleet.active === 0);
    expect(world.records.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('whose bodies never end holds no more than their leases, and those end', async () => {
    await start({ durationMs: () => 1_000, limits: { lingerMs: 500 } });
    await crowd(
      `POST /swallow HTTP/1.1\r\nHost: ${APP_HOST}\r\nContent-Length: 1000000000\r\n\r\nbegin`,
    );
    for (const socket of sockets) socket.resume();
    await until(() => world.fleet.active === CROWD);
    const ended = () => world.records.filter(({ status }) => status === 504).length;
    const drip = () => {
      for (const socket of sockets) if (socket.writable) socket.write('a');
      return ended() === CROWD;
    };
    expect(await growthUntil(drip)).toBeLessThan(64 * MEBIBYTE);
  });

  it('who take nothing of what they asked for is cut off, and little is held for them', async () => {
    await start({ limits: { writeTimeoutMs: 1_000 } });
    await crowd(`GET /endless HTTP/1.1\r\nHost: ${APP_HOST}\r\n\r\n`);
    for (const socket of sockets) socket.pause();
    const cut = () => world.records.filter(({ aborted }) => aborted).length;
    expect(await growthUntil(() => cut() === CROWD)).toBeLessThan(96 * MEBIBYTE);
  });
});

/** A POST whose body is still to come. */
const OPENING = Buffer.concat([
  PREFACE,
  frame(TYPE.headers, END_HEADERS, 1, request('POST', APP_HOST, '/swallow')),
]);

describe('frames of HTTP/2 that cost nothing to send', () => {
  it.each<[string, Buffer, 'ended' | 'bounded']>([
    ['data without any bytes', frame(TYPE.data, 0, 1), 'ended'],
    ['data of padding only', frame(TYPE.data, PADDED, 1, Buffer.from([3, 0, 0, 0])), 'bounded'],
    ['room for one byte more', room(0, 1), 'bounded'],
    ['room on a stream', room(1, 1), 'bounded'],
    ['priorities', frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 0, 1])), 'bounded'],
    ['frames of a kind that nobody knows', frame(0xfa, 0, 1, Buffer.alloc(8)), 'bounded'],
  ])('%s: what is held is bounded and others are served', async (_name, flood, what) => {
    await start({});
    const socket = await dial(world);
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
    socket.write(OPENING);
    await until(() => world.fleet.active === 1);
    const many = Buffer.concat(Array.from({ length: 500 }, () => flood));
    let turns = 0;
    const send = () => {
      if (isEnded(socket)) return true;
      if (socket.writableLength === 0) {
        socket.write(many);
        turns += 1;
      }
      return what === 'bounded' && turns === 40;
    };
    expect(await growthUntil(send)).toBeLessThan(64 * MEBIBYTE);
    if (what === 'ended') expect(turns).toBeLessThan(50);
    socket.destroy();
    await until(() => world.fleet.active === 0);
  });
});

it('a client of HTTP/2 that closes its connection takes its requests with it', async () => {
  await start({});
  const socket = await dial(world);
  socket.on('error', () => {});
  socket.resume();
  socket.write(OPENING);
  await until(() => world.fleet.active === 1);
  // All that came was read: the other side sees an end and no reset.
  socket.end();
  await until(() => world.fleet.active === 0);
  expect(world.records[0]).toMatchObject({ aborted: true });
});
