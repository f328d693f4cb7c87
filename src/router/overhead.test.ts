/**
 * What clients of HTTP/2 send beside their requests is bounded by what their connection is good for: floods of frames that
 * cost their sender nothing are ended, and none of the ways in which honest clients send many small frames is.
 */
import { once } from 'node:events';
import { constants } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  block,
  END_HEADERS,
  END_STREAM,
  frame,
  onFrame,
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
import { foreignPair } from '../tls/fixtures/world.ts';
import type { Http2Abuse } from './http2-server.ts';
import type { RouterLimits } from './limits.ts';

const { pair } = await foreignPair([APP_HOST]);
const MEBIBYTE = 1024 * 1024;
const DOWNLOAD_BYTES = 32 * MEBIBYTE;
/** So little that what a test is about cannot be paid with it. */
const LITTLE = 8_000;

let world: World;
let socket: Socket;
let abuses: Http2Abuse[];
/** Bytes of bodies that the app has read. */
let received: number;

beforeEach(() => {
  abuses = [];
  received = 0;
});

afterEach(async () => {
  socket.destroy();
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

async function start(how: 'plain' | 'tls', limits: Partial<RouterLimits> = {}): Promise<void> {
  world = await startWorld({
    limits,
    secure: { tls: { cert: pair.certificate, key: pair.key } },
    onHttp2Abuse: (abuse) => abuses.push(abuse),
  });
  await world.fleet.serve(APP, (req, res) => {
    if (req.url === '/download') {
      res.end(Buffer.alloc(DOWNLOAD_BYTES));
      return;
    }
    req.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    req.on('end', () => res.end('ok'));
  });
  socket = how === 'plain' ? await dial(world) : await dialSecure();
  socket.on('error', () => {});
}

async function dialSecure(): Promise<Socket> {
  const server = world.router.secureServer!;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const secure = connectSecure({ port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(secure, 'secureConnect');
  return secure;
}

const isOpen = () => !socket.destroyed && !socket.readableEnded;

/** Resolves when what was written has left. */
async function write(bytes: Buffer): Promise<void> {
  socket.write(bytes);
  await until(() => socket.writableLength === 0 || !isOpen());
}

function repeat(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

describe('a flood', () => {
  /** With what it is ended for. */
  const kinds: [string, Buffer, Http2Abuse[]][] = [
    ['room for one byte more', room(0, 1), ['overhead']],
    ['room on a stream', room(1, 1), ['overhead']],
    ['data of padding only', frame(TYPE.data, PADDED, 1, Buffer.from([3, 0, 0, 0])), ['overhead']],
    // Node's own bounds of these differ from release to release.
    [
      'priorities',
      frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 0, 1])),
      ['overhead', 'protocol'],
    ],
    ['frames of a kind that nobody knows', frame(0xfa, 0, 1), ['overhead', 'protocol']],
    ['frames for a stream that is over', room(3, 1), ['overhead']],
  ];

  async function flood(bytes: Buffer, whys: Http2Abuse[]): Promise<void> {
    let code: number | undefined;
    onFrame(socket, ({ type, payload }) => {
      if (type === TYPE.goaway) code = payload.readUInt32BE(4);
    });
    socket.write(PREFACE);
    socket.write(frame(TYPE.headers, END_HEADERS, 1, request('POST', APP_HOST, '/')));
    socket.write(frame(TYPE.headers, END_HEADERS | END_STREAM, 3, request('GET', APP_HOST, '/')));
    await until(() => world.fleet.acquired === 2);
    const many = repeat(bytes, 500);
    await until(async () => {
      if (!isOpen()) return true;
      socket.write(many);
      await until(() => socket.writableLength === 0 || !isOpen());
      return !isOpen();
    });
    expect(whys).toContain(abuses.join());
    expect(code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await until(() => world.fleet.active === 0);
    expect((await call(world)).text).toBe('ok');
  }

  it.each(kinds)('of %s ends its connection, and others are served', async (_name, bytes, whys) => {
    await start('plain');
    await flood(bytes, whys);
  });

  it('over TLS ends its connection as well', async () => {
    await start('tls');
    await flood(room(0, 1), ['overhead']);
  });
});

describe.each(['plain', 'tls'] as const)('an honest client is left alone (%s)', (how) => {
  it('that makes room for each piece of a long download', async () => {
    await start(how, { http2OverheadBytes: LITTLE });
    let bytes = 0;
    let updates = 0;
    let hasEnded = false;
    onFrame(socket, ({ type, flags, stream, payload }) => {
      if (type !== TYPE.data || stream !== 1) return;
      bytes += payload.length;
      hasEnded = (flags & END_STREAM) !== 0;
      if (payload.length === 0) return;
      socket.write(Buffer.concat([room(0, payload.length), room(1, payload.length)]));
      updates += 2;
    });
    const head = request('GET', APP_HOST, '/download');
    socket.write(Buffer.concat([PREFACE, frame(TYPE.headers, END_HEADERS | END_STREAM, 1, head)]));
    await until(() => hasEnded || !isOpen());
    expect(bytes).toBe(DOWNLOAD_BYTES);
    expect(updates * room(0, 1).length).toBeGreaterThan(3 * LITTLE);
    expect(abuses).toEqual([]);
  });

  it('that streams messages of six bytes', async () => {
    await start(how, { http2OverheadBytes: LITTLE });
    socket.resume();
    const head = request('POST', APP_HOST, '/');
    await write(Buffer.concat([PREFACE, frame(TYPE.headers, END_HEADERS, 1, head)]));
    const message = frame(TYPE.data, 0, 1, Buffer.alloc(6));
    // As many as the window lets through, then what the app has read makes room for.
    for (let turn = 1; turn <= 20 && isOpen(); turn += 1) {
      await write(repeat(message, 1_000));
      await until(() => received === turn * 6_000 || !isOpen());
    }
    await write(frame(TYPE.data, END_STREAM, 1));
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ status: 200, bytesIn: 120_000 });
    expect(abuses).toEqual([]);
  });

  it('that asks for much with long headers', async () => {
    await start(how, { http2OverheadBytes: LITTLE });
    socket.resume();
    socket.write(PREFACE);
    const head = Buffer.concat([
      request('GET', APP_HOST, '/'),
      repeat(block(['cookie', 'a'.repeat(100)]), 30),
    ]);
    for (let turn = 0; turn < 200 && isOpen(); turn += 1) {
      await write(frame(TYPE.headers, END_HEADERS | END_STREAM, 1 + 2 * turn, head));
      await until(() => world.records.length === turn + 1 || !isOpen());
    }
    expect(world.records.map(({ status }) => status)).toEqual(Array(200).fill(200));
    expect(abuses).toEqual([]);
  });

  it('that measures its connection with a ping for each round trip of a download, as gRPC does', async () => {
    await start(how, { http2ControlFrames: 20 });
    let bytes = 0;
    let pings = 0;
    let isAsking = false;
    let hasEnded = false;
    onFrame(socket, ({ type, flags, payload }) => {
      if (type === TYPE.ping) isAsking = false;
      if (type !== TYPE.data) return;
      bytes += payload.length;
      hasEnded = (flags & END_STREAM) !== 0;
      if (payload.length === 0) return;
      socket.write(Buffer.concat([room(0, payload.length), room(1, payload.length)]));
      if (isAsking) return;
      isAsking = true;
      socket.write(frame(TYPE.ping, 0, 0, Buffer.alloc(8)));
      pings += 1;
    });
    const head = request('GET', APP_HOST, '/download');
    socket.write(Buffer.concat([PREFACE, frame(TYPE.headers, END_HEADERS | END_STREAM, 1, head)]));
    await until(() => hasEnded || !isOpen());
    expect(pings).toBeGreaterThan(100);
    expect(bytes).toBe(DOWNLOAD_BYTES);
    expect(abuses).toEqual([]);
  });
});
