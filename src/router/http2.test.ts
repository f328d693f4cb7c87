/** HTTP/2, plain and over TLS, is served by the same rules as HTTP/1.1; a stream ends as a connection would. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
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
import type { RouterOptions } from './router.ts';

let world: World;
let session: ClientHttp2Session;

beforeEach(() => start());

afterEach(async () => {
  session.destroy();
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

async function start(options: Partial<RouterOptions> = {}): Promise<void> {
  world = await startWorld(options);
  session = connect(`http://127.0.0.1:${world.port}`);
  session.on('error', () => {});
}

async function restart(options: Partial<RouterOptions>): Promise<void> {
  session.destroy();
  await world.stop();
  await start(options);
}

function send(headers: OutgoingHttpHeaders = {}, endStream = true): ClientHttp2Stream {
  const stream = session.request(
    { ':authority': APP_HOST, ':path': '/', ...headers },
    { endStream },
  );
  stream.on('error', () => {});
  return stream;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly text: string;
}

async function replyTo(stream: ClientHttp2Stream): Promise<Reply> {
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (given) => {
    trailers = given;
  });
  const [headers] = (await once(stream, 'response')) as [
    IncomingHttpHeaders & { ':status': number },
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: headers[':status'], headers, trailers, text };
}

describe('a request over HTTP/2', () => {
  it('reaches the app as one of HTTP/1.1, and the answer says how it was served', async () => {
    await world.fleet.serve(APP, (req, res) => {
      res.setHeader('x-many', ['a', 'b']);
      res.end(JSON.stringify([req.method, req.url, req.httpVersion, req.headers]));
    });
    const reply = await replyTo(
      send({ ':path': '/a?b=c', 'x-own': 'yes', cookie: ['a=1', 'b=2'] }),
    );
    expect(reply.status).toBe(200);
    expect(reply.headers['x-many']).toBe('a, b');
    expect(reply.headers['x-berth-start']).toBe('warm');
    expect(reply.headers['x-berth-id']).toBeDefined();
    expect(reply.headers['server-timing']).toContain('wait;dur=');
    const [method, url, version, headers] = JSON.parse(reply.text) as [
      string,
      string,
      string,
      object,
    ];
    expect([method, url, version]).toEqual(['GET', '/a?b=c', '1.1']);
    expect(headers).toMatchObject({
      ...{ host: APP_HOST, 'x-own': 'yes', cookie: 'a=1; b=2' },
      ...{ 'x-forwarded-proto': 'http', 'x-forwarded-for': '127.0.0.1' },
    });
    expect(Object.keys(headers).filter((name) => name.startsWith(':'))).toEqual([]);
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ status: 200, aborted: false, host: APP_HOST });
  });

  it('and one of HTTP/1.1 share a port, however the first bytes are cut', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('same'));
    expect((await replyTo(send())).text).toBe('same');
    expect((await call(world)).text).toBe('same');
    for (const first of ['P', 'PU', 'G']) {
      const socket = await dial(world);
      const answer = readAll(socket);
      socket.setNoDelay(true);
      socket.write(first);
      await new Promise((resolve) => setImmediate(resolve));
      const rest = { P: 'OST', PU: 'T', G: 'ET' }[first];
      socket.write(`${rest} / HTTP/1.1\r\nhost: ${APP_HOST}\r\nconnection: close\r\n\r\n`);
      expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    }
    const cut = await dial(world);
    cut.setNoDelay(true);
    const heard = once(cut, 'data');
    for (const piece of ['P', 'RI * HTT', 'P/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0']) {
      cut.write(piece, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [settings] = (await heard) as [Buffer];
    expect(settings[3]).toBe(4);
    cut.destroy();
  });

  it.each([0, 5, 70_000, 5_000_000])('carries a body of %i bytes both ways', async (size) => {
    await world.fleet.serve(APP, (req, res) => req.pipe(res));
    const stream = send({ ':method': 'POST' }, false);
    const reply = replyTo(stream);
    stream.end('x'.repeat(size));
    expect((await reply).text.length).toBe(size);
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ bytesIn: size, bytesOut: size });
  });

  it('carries trailers both ways', async () => {
    await world.fleet.serve(APP, async (req, res) => {
      for await (const chunk of req) void chunk;
      res.writeHead(200, { trailer: 'x-sum' });
      res.write('body');
      res.addTrailers({ 'x-sum': String(req.trailers['x-count']) });
      res.end();
    });
    const stream = session.request(
      { ':method': 'POST', ':authority': APP_HOST, ':path': '/', trailer: 'x-count' },
      { endStream: false, waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-count': '7' }));
    const reply = replyTo(stream);
    stream.end('x');
    expect(await reply).toMatchObject({ text: 'body', trailers: { 'x-sum': '7' } });
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('has no body where there is none: %s %i', async (method, status) => {
    await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(status, { 'content-length': status === 200 ? '1000' : '0' });
      res.end();
    });
    const reply = await replyTo(send({ ':method': method }));
    expect(reply).toMatchObject({ status, text: '' });
    if (status === 200) expect(reply.headers['content-length']).toBe('1000');
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ status, aborted: false });
  });

  it('hears of a 103 and of a 100', async () => {
    await world.fleet.serve(APP, async (req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      for await (const chunk of req) void chunk;
      res.end('done');
    });
    const stream = send({ ':method': 'POST', expect: '100-continue' }, false);
    const seen: unknown[] = [];
    stream.on('headers', (headers) => seen.push(headers[':status']));
    const continued = once(stream, 'continue');
    const reply = replyTo(stream);
    await continued;
    stream.end('body');
    expect((await reply).text).toBe('done');
    expect(seen).toContain(103);
  });

  it('loses what HTTP/2 does not allow in an answer', async () => {
    await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(200, 'Quite Fine', {
        ...{ connection: 'x-private', 'x-private': '1', 'keep-alive': 'timeout=5' },
        ...{ 'proxy-connection': 'close', 'X-Upper': 'kept' },
      });
      res.end('ok');
    });
    const { headers, text } = await replyTo(send());
    expect(text).toBe('ok');
    expect(headers['x-upper']).toBe('kept');
    for (const name of ['connection', 'keep-alive', 'x-private', 'proxy-connection']) {
      expect(headers[name]).toBeUndefined();
    }
  });

  it('for the platform, its health path and hosts that lead nowhere is answered', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('app'));
    expect((await replyTo(send({ ':authority': 'berth.localhost' }))).text).toBe('platform');
    const health = await replyTo(send({ ':path': '/.well-known/berth/health' }));
    expect(JSON.parse(health.text)).toMatchObject({ deployment: APP });
    const unknown = await replyTo(send({ ':authority': 'nobody.localhost' }));
    expect(unknown).toMatchObject({ status: 404, headers: { 'x-berth-error': 'NOT_FOUND' } });
    expect(world.fleet.acquired).toBe(0);
  });
});

describe('a stream that ends early', () => {
  it('takes its request away from the app', async () => {
    const arrived = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await world.fleet.serve(APP, (req, res) => {
      req.socket.once('close', gone.resolve);
      res.write('first');
      arrived.resolve();
    });
    const stream = send();
    await once(stream, 'response');
    await arrived.promise;
    stream.close(constants.NGHTTP2_CANCEL);
    await gone.promise;
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ aborted: true });
  });

  it('while it waits leaves the room', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end());
    world.fleet.gate = new Promise(() => {});
    const stream = send();
    await until(() => world.fleet.waiting === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => world.fleet.waiting === 0);
  });

  it('in the midst of its body takes that away, and others of the connection go on', async () => {
    const gone = Promise.withResolvers<void>();
    await world.fleet.serve(APP, (req, res) => {
      if (req.method === 'GET') res.end('other');
      else req.resume().once('close', gone.resolve);
    });
    const stream = send({ ':method': 'POST', 'content-length': 1_000_000 }, false);
    stream.write('x'.repeat(100_000));
    await until(() => world.fleet.active === 1);
    stream.close(constants.NGHTTP2_CANCEL);
    await gone.promise;
    expect((await replyTo(send())).text).toBe('other');
  });

  it('because the app died within its answer is reset, so that the client sees it', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => {
      res.write('first');
    });
    const stream = send();
    await once(stream, 'data');
    const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    instance.cut();
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });

  it('is answered by another instance when the first dies before it answers', async () => {
    let count = 0;
    await world.fleet.serve(APP, (req, res) => {
      count += 1;
      if (count === 1) req.socket.destroy();
      else res.end('second');
    });
    const stream = send({ ':method': 'PUT' }, false);
    stream.end('held');
    expect((await replyTo(stream)).text).toBe('second');
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['died', 'done']);
  });
});

describe('backpressure over HTTP/2', () => {
  it('holds an app back whose reader is slow, and no other stream', async () => {
    let written = 0;
    await world.fleet.serve(APP, async (req, res) => {
      if (req.url === '/other') {
        res.end('other');
        return;
      }
      for (let i = 0; i < 500; i += 1) {
        const hasRoom = res.write(Buffer.alloc(64 * 1024));
        written += 64 * 1024;
        if (!hasRoom) await once(res, 'drain');
      }
      res.end();
    });
    const slow = send();
    await once(slow, 'response');
    slow.pause();
    let before = -1;
    // It has come to rest when nothing was written during the time of another request.
    await until(async () => {
      const isAtRest = before === written;
      before = written;
      expect((await replyTo(send({ ':path': '/other' }))).text).toBe('other');
      return isAtRest;
    });
    expect(written).toBeLessThan(20 * 1024 * 1024);
    slow.resume();
    await once(slow, 'end');
    expect(written).toBe(500 * 64 * 1024);
  });

  it('leaves an upload with the client while its request waits', async () => {
    await world.fleet.serve(APP, async (req, res) => {
      let size = 0;
      for await (const chunk of req) size += (chunk as Buffer).length;
      res.end(String(size));
    });
    const gate = Promise.withResolvers<void>();
    world.fleet.gate = gate.promise;
    const stream = send({ ':method': 'POST' }, false);
    const reply = replyTo(stream);
    stream.end(Buffer.alloc(4 * 1024 * 1024));
    await until(() => world.fleet.waiting === 1);
    gate.resolve();
    expect((await reply).text).toBe(String(4 * 1024 * 1024));
  });
});

describe('HTTP/2 over TLS', () => {
  it('is chosen by ALPN, and HTTP/1.1 stays for those who want it', async () => {
    const { pair, authority } = await foreignPair([APP_HOST]);
    await restart({ secure: { tls: { cert: pair.certificate, key: pair.key } } });
    await world.fleet.serve(APP, (req, res) => res.end(req.headers['x-forwarded-proto']));
    const server = world.router.secureServer!;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    session.destroy();
    session = connect(`https://127.0.0.1:${port}`, {
      ca: authority.certificate,
      servername: APP_HOST,
    });
    expect((await replyTo(send())).text).toBe('https');
    expect(session.alpnProtocol).toBe('h2');
    const body = send({ ':method': 'POST' }, false);
    body.end('x'.repeat(200_000));
    expect((await replyTo(body)).status).toBe(200);
  });
});

describe('closing', () => {
  it('lets streams under way end, and closes their connection then', async () => {
    const gate = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (_req, res) => {
      await gate.promise;
      res.end('in time');
    });
    const reply = replyTo(send());
    await until(() => world.fleet.active === 1);
    const goneAway = once(session, 'goaway');
    const closed = world.router.close();
    await goneAway;
    gate.resolve();
    expect((await reply).text).toBe('in time');
    await closed;
  });

  it('does not wait for connections that have said nothing, or have nothing more to say', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    await replyTo(send());
    const silent = await dial(world);
    const closed = once(silent, 'close');
    silent.resume();
    await world.router.close();
    silent.end();
    await closed;
  });
});

describe('a WebSocket over HTTP/2', () => {
  /** One frame as a client sends it, under a mask that changes nothing. */
  function frame(opcode: number, payload: Buffer): Buffer {
    const head = Buffer.alloc(14);
    head[0] = 0x80 | opcode;
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
    return Buffer.concat([head, payload]);
  }

  /** Of a stream; resolves when so many bytes have come. */
  async function read(stream: ClientHttp2Stream, bytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const collect = (chunk: Buffer) => chunks.push(chunk);
    stream.on('data', collect);
    await until(() => Buffer.concat(chunks).length >= bytes);
    stream.off('data', collect);
    return Buffer.concat(chunks);
  }
  const ask = { ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' };

  async function serveEcho(): Promise<void> {
    const server = createServer();
    const echo = new WebSocketServer({ server, handleProtocols: () => 'chat' });
    echo.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await world.fleet.adopt(APP, server);
  }

  it('becomes an upgrade of HTTP/1.1, and its bytes pass both ways until it is closed', async () => {
    await serveEcho();
    await once(session, 'remoteSettings');
    const stream = send({ ...ask, 'sec-websocket-protocol': 'chat', ':path': '/c' }, false);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat' });
    expect(headers['sec-websocket-accept']).toBeUndefined();
    const payload = Buffer.alloc(1_000_000, 'x');
    const echo = read(stream, payload.length + 10);
    stream.write(frame(2, payload));
    expect((await echo).subarray(10).equals(payload)).toBe(true);
    expect(world.fleet.active).toBe(1);
    const farewell = read(stream, 4);
    const ended = once(stream, 'end');
    stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa0]));
    expect([...(await farewell)]).toEqual([0x88, 0x02, 0x0f, 0xa0]);
    await ended;
    stream.end();
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ status: 101, path: '/c', aborted: false });
    expect(world.fleet.active).toBe(0);
  });

  it('that the app refuses gets its answer', async () => {
    await world.fleet.serve(APP, (_req, res) => res.writeHead(403).end('no'));
    await once(session, 'remoteSettings');
    expect(await replyTo(send(ask, false))).toMatchObject({ status: 403, text: 'no' });
    await until(() => world.records.length === 1);
  });

  it('whose client goes takes the connection to the app along, and the other way round', async () => {
    await serveEcho();
    await once(session, 'remoteSettings');
    const left = send(ask, false);
    await once(left, 'response');
    left.close(constants.NGHTTP2_CANCEL);
    await until(() => world.fleet.active === 0);
    const dropped = send(ask, false);
    await once(dropped, 'response');
    const ended = once(dropped, 'end');
    dropped.resume();
    world.fleet.list(APP)[0]!.cut();
    await ended;
    dropped.end();
    await until(() => world.fleet.active === 0);
  });

  it('does not hold up closing', async () => {
    await serveEcho();
    await once(session, 'remoteSettings');
    const stream = send(ask, false);
    await once(stream, 'response');
    await world.router.close();
    await until(() => stream.closed);
  });
});
