/** Requests and answers pass through whole, streaming, and say how they were served. */
import { Agent, createServer, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  APP,
  APP_HOST,
  call,
  dial,
  headOf,
  open,
  readAll,
  replyTo,
  sendRaw,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';

let world: World;

beforeEach(async () => {
  world = await startWorld();
});

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('a request', () => {
  it('reaches the app and its answer comes back, with how it was served', async () => {
    world.fleet.start = 'thawed';
    await world.fleet.serve(APP, (req, res) => {
      res.writeHead(201, 'Made', { 'X-Case': 'Kept', 'server-timing': 'db;dur=5' });
      res.end(`${req.method} ${req.url}`);
    });
    const reply = await call(world, { path: '/a/b?c=d' });
    expect(reply.status).toBe(201);
    expect(reply.text).toBe('GET /a/b?c=d');
    expect(reply.rawHeaders).toContain('X-Case');
    expect(reply.headers['x-berth-start']).toBe('thawed');
    expect(reply.headers['x-berth-id']).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
    expect(reply.headers['server-timing']).toMatch(
      /^db;dur=5, wait;dur=1\.3, boot;dur=0, port;dur=0, app;dur=[\d.]+$/,
    );
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['done']);
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({
      id: reply.headers['x-berth-id'],
      method: 'GET',
      host: APP_HOST,
      path: '/a/b',
      deploymentId: APP,
      status: 201,
      start: 'thawed',
      retries: 0,
      aborted: false,
      bytesIn: 0,
      bytesOut: 12,
    });
  });

  it('with a small body is sent whole, over a connection that is used again', async () => {
    const instance = await world.fleet.serve(APP, async (req, res) => {
      res.end(`${req.headers['content-length']}:${await textOf(req)}`);
    });
    for (const body of ['one', 'two', 'three']) {
      const reply = await call(world, { method: 'POST', body });
      expect(reply.text).toBe(`${body.length}:${body}`);
    }
    await call(world, { method: 'POST', headers: { 'content-length': 0 } });
    await call(world);
    expect(instance.accepted()).toBe(1);
    await until(() => world.records.length === 5);
    expect(world.records.map(({ bytesIn }) => bytesIn)).toEqual([3, 3, 5, 0, 0]);
  });

  it('whose small body comes a packet later is sent whole as well', async () => {
    const instance = await world.fleet.serve(APP, async (req, res) => {
      res.end(`${req.headers['transfer-encoding']}:${await textOf(req)}`);
    });
    for (let i = 0; i < 2; i += 1) {
      const request = open(world, { method: 'POST', headers: { 'content-length': 4 } });
      request.flushHeaders();
      await until(() => world.fleet.acquired === i + 1);
      const reply = replyTo(request);
      request.end('late');
      expect((await reply).text).toBe('undefined:late');
    }
    expect(instance.accepted()).toBe(1);
  });

  it('whose small body never quite arrives is streamed', async () => {
    await world.fleet.serve(APP, (req, res) => {
      req.once('data', (chunk: Buffer) => res.end(`saw ${chunk.toString()}`));
    });
    const request = open(world, { method: 'POST', headers: { 'content-length': 4000 } });
    const reply = replyTo(request);
    request.write('the first part');
    expect((await reply).text).toBe('saw the first part');
    request.destroy();
  });

  it('streams up: the app sees each part when it is sent', async () => {
    const seen: string[] = [];
    await world.fleet.serve(APP, (req, res) => {
      req.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
      req.on('end', () => res.end('thanks'));
    });
    const request = open(world, { method: 'POST' });
    const reply = replyTo(request);
    for (const part of ['one', 'two', 'three']) {
      request.write(part);
      await until(() => seen.includes(part));
    }
    request.end();
    expect((await reply).text).toBe('thanks');
    await until(() => world.records.length === 1);
    expect(world.records[0]?.bytesIn).toBe(11);
  });

  it('is heard before its body has begun', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('I know enough'));
    const request = open(world, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
    const reply = replyTo(request);
    request.flushHeaders();
    expect((await reply).text).toBe('I know enough');
    request.destroy();
  });

  it('of many megabytes arrives whole, both ways at once', async () => {
    await world.fleet.serve(APP, pipeline);
    const size = 64 * 1024 * 1024;
    const request = open(world, { method: 'PUT', headers: { 'content-length': size } });
    const source = Readable.from(chunksOf(size));
    const sent = pipeline(source, request);
    let received = 0;
    for await (const chunk of await headOf(request)) received += (chunk as Buffer).length;
    await sent;
    expect(received).toBe(size);
  });

  it('waits for an app that reads slowly without being held in memory', async () => {
    const go = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (req, res) => {
      await go.promise;
      await pipeline(req, res);
    });
    const size = 256 * 1024 * 1024;
    let sent = 0;
    const request = open(world, { method: 'POST' });
    const source = Readable.from(
      (function* () {
        for (const chunk of chunksOf(size)) {
          sent += chunk.length;
          yield chunk;
        }
      })(),
    );
    const uploaded = pipeline(source, request);
    const response = headOf(request);
    await until(() => world.fleet.active === 1);
    await settled(() => sent);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    go.resolve();
    let received = 0;
    for await (const chunk of await response) received += (chunk as Buffer).length;
    await uploaded;
    expect(received).toBe(size);
  });

  it('with trailers keeps them, and so does its answer', async () => {
    await world.fleet.serve(APP, async (req, res) => {
      await textOf(req);
      res.writeHead(200, { trailer: 'x-sum' });
      res.write('body');
      res.addTrailers({ 'x-sum': `${req.trailers['x-up']}!` });
      res.end();
    });
    const request = open(world, {
      method: 'POST',
      headers: { trailer: 'x-up', te: 'trailers', connection: 'te' },
    });
    const reply = replyTo(request);
    request.write('some');
    request.addTrailers({ 'x-up': 'checked' });
    request.end();
    expect((await reply).trailers).toEqual({ 'x-sum': 'checked!' });
  });

  it('for the server as a whole (OPTIONS *) passes', async () => {
    await world.fleet.serve(APP, (req, res) => res.end(`${req.method} ${req.url}`));
    const answer = await sendRaw(
      world,
      `OPTIONS * HTTP/1.1\r\nHost: ${APP_HOST}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toContain('OPTIONS *');
  });

  it('in absolute form is sent in origin form', async () => {
    await world.fleet.serve(APP, (req, res) => res.end(`saw ${req.url}`));
    const answer = await sendRaw(
      world,
      `GET http://${APP_HOST}/x?y HTTP/1.1\r\nHost: ${APP_HOST}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toContain('saw /x?y');
  });

  it('is not read before there is an instance for it', async () => {
    const gate = Promise.withResolvers<void>();
    world.fleet.gate = gate.promise;
    await world.fleet.serve(APP, pipeline);
    const request = open(world, { method: 'POST' });
    const chunk = Buffer.alloc(64 * 1024);
    let accepted = 0;
    while (request.write(chunk) && accepted < 4096) accepted += 1;
    await until(() => world.fleet.waiting === 1);
    // What the kernel and one buffer take is all that leaves the client.
    const isStuck = await Promise.race([
      new Promise<boolean>((resolve) => {
        request.once('drain', () => resolve(false));
      }),
      settled(() => request.writableLength).then(() => true),
    ]);
    gate.resolve();
    const response = headOf(request);
    request.end();
    let received = 0;
    for await (const part of await response) received += (part as Buffer).length;
    expect(received).toBe((accepted + 1) * chunk.length);
    expect(isStuck || accepted < 4096).toBe(true);
  });
});

describe('an answer', () => {
  it('of server-sent events comes event by event', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await world.fleet.serve(APP, async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      await gates[0]?.promise;
      res.write('data: one\n\n');
      await gates[1]?.promise;
      res.end('data: two\n\n');
    });
    const request = open(world);
    request.end();
    const response = await headOf(request);
    const events = response.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
    gates[0]?.resolve();
    expect(String((await events.next()).value)).toBe('data: one\n\n');
    gates[1]?.resolve();
    expect(String((await events.next()).value)).toBe('data: two\n\n');
    expect((await events.next()).done).toBe(true);
  });

  it('waits for a slow reader without being held in memory', async () => {
    const size = 256 * 1024 * 1024;
    let sent = 0;
    await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(200, { 'content-length': size });
      const source = Readable.from(
        (function* () {
          for (const chunk of chunksOf(size)) {
            sent += chunk.length;
            yield chunk;
          }
        })(),
      );
      pipeline(source, res).catch(() => {});
    });
    const request = open(world);
    request.end();
    const response = await headOf(request);
    response.once('readable', () => {});
    await settled(() => sent);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).length;
    expect(received).toBe(size);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('to %s with %d has no body', async (method, status) => {
    await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(status, { etag: '"x"', ...(method === 'HEAD' && { 'content-length': 5 }) });
      res.end();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 2; i += 1) {
      const reply = await call(world, { method, agent });
      expect(reply.status).toBe(status);
      expect(reply.text).toBe('');
      expect(reply.headers.etag).toBe('"x"');
      expect(reply.headers['content-length']).toBe(method === 'HEAD' ? '5' : undefined);
      expect(reply.headers['transfer-encoding']).toBeUndefined();
    }
    agent.destroy();
  });

  it('that ends with its connection is whole', async () => {
    await world.fleet.serve(APP, (_req, res) => {
      res.shouldKeepAlive = false;
      res.removeHeader('transfer-encoding');
      res.end('to the end');
    });
    expect((await call(world)).text).toBe('to the end');
  });

  it('keeps 1xx answers', async () => {
    await world.fleet.serve(APP, (_req, res) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' });
      res.end('done');
    });
    const request = open(world);
    const hints: unknown[] = [];
    request.on('information', ({ statusCode, headers }) =>
      hints.push([statusCode, headers['link']]),
    );
    const reply = replyTo(request);
    request.end();
    expect((await reply).text).toBe('done');
    expect(hints).toEqual([[103, '</style.css>; rel=preload']]);
  });

  it('to HTTP/1.0 is not chunked', async () => {
    await world.fleet.serve(APP, (_req, res) => {
      res.write('in ');
      res.end('parts');
    });
    const answer = await sendRaw(world, `GET / HTTP/1.0\r\nHost: ${APP_HOST}\r\n\r\n`);
    expect(answer).toMatch(/\r\n\r\nin parts$/);
    expect(answer.toLowerCase()).not.toContain('transfer-encoding');
  });

  it('to a request that is still coming can be read, and nothing is left hanging', async () => {
    await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(413, { connection: 'close' });
      res.end('too much');
    });
    const request = open(world, { method: 'POST', headers: { 'content-length': 1e9 } });
    const reply = replyTo(request);
    request.on('error', () => {});
    const chunk = Buffer.alloc(64 * 1024);
    const feed = () => {
      while (!request.destroyed && request.write(chunk));
    };
    request.on('drain', feed);
    feed();
    expect(await reply).toMatchObject({ status: 413, text: 'too much' });
    request.destroy();
    await until(() => world.records.length === 1);
  });
});

describe('Expect: 100-continue', () => {
  const headers = { expect: '100-continue', 'content-length': 4 };

  it('lets the app ask for the body', async () => {
    await world.fleet.serve(APP, async (req, res) => res.end(`got ${await textOf(req)}`));
    const request = open(world, { method: 'POST', headers });
    const reply = replyTo(request);
    request.on('continue', () => request.end('body'));
    request.flushHeaders();
    expect((await reply).text).toBe('got body');
  });

  it('lets the app refuse before the body is sent', async () => {
    const server = createServer();
    server.on('checkContinue', (_req, res) => {
      res.writeHead(417);
      res.end('no thanks');
    });
    await world.fleet.adopt(APP, server);
    const request = open(world, { method: 'POST', headers });
    let isContinued = false;
    request.on('continue', () => {
      isContinued = true;
    });
    const reply = replyTo(request);
    request.flushHeaders();
    expect(await reply).toMatchObject({ status: 417, text: 'no thanks' });
    expect(isContinued).toBe(false);
    request.destroy();
  });

  it('is answered at once on the platform', async () => {
    const request = open(world, { method: 'POST', headers, host: 'localhost' });
    const reply = replyTo(request);
    request.on('continue', () => request.end('body'));
    request.flushHeaders();
    expect((await reply).text).toBe('platform');
  });
});

describe('a connection', () => {
  it('of a client is used again', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let connections = 0;
    world.router.server.on('connection', () => {
      connections += 1;
    });
    for (let i = 0; i < 5; i += 1) await call(world, { agent });
    expect(connections).toBe(1);
    agent.destroy();
  });

  it('may carry pipelined requests, which are served one after another', async () => {
    const gate = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (req, res) => {
      await gate.promise;
      res.end(`[${req.url}]`);
    });
    const one = (path: string, close = '') =>
      `GET ${path} HTTP/1.1\r\nHost: ${APP_HOST}\r\n${close}\r\n`;
    const answer = sendRaw(world, one('/1') + one('/2') + one('/3', 'Connection: close\r\n'));
    await until(() => world.fleet.active > 0);
    await settled(() => world.fleet.acquired);
    expect(world.fleet.acquired).toBe(1);
    gate.resolve();
    expect((await answer).match(/\[\/\d\]/g)).toEqual(['[/1]', '[/2]', '[/3]']);
  });

  it('to an instance is not used again after it was forgotten', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    await call(world);
    world.router.forget(instance.id);
    await call(world);
    expect(instance.accepted()).toBe(2);
  });

  it('to an instance is not used again when the instance has slept since', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    await call(world);
    world.fleet.start = 'thawed';
    await call(world);
    expect(instance.accepted()).toBe(2);
  });

  it('to an instance is not used longer than the instance says', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => {
      res.setHeader('keep-alive', 'timeout=1');
      res.setHeader('connection', 'keep-alive');
      res.end('ok');
    });
    await call(world);
    await call(world);
    expect(instance.accepted()).toBe(2);
  });
});

describe('headers', () => {
  async function seenBy(headers: readonly string[]): Promise<string> {
    await world.fleet.serve(APP, (req, res) => res.end(JSON.stringify(req.rawHeaders)));
    const answer = await sendRaw(
      world,
      ['GET / HTTP/1.1', `Host: ${APP_HOST}:1234`, 'Connection: close', ...headers, '', ''].join(
        '\r\n',
      ),
    );
    const raw = JSON.parse(
      answer.slice(answer.indexOf('["'), answer.lastIndexOf(']') + 1),
    ) as string[];
    const lines: string[] = [];
    for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`);
    return lines.join('\n');
  }

  it('of one connection stay on it, those that Connection names included', async () => {
    const seen = await seenBy([
      'Connection: X-Mine, host',
      'X-Mine: 1',
      'X-Other: 2',
      'Keep-Alive: timeout=1',
      'Proxy-Authorization: secret',
      'Proxy-Connection: close',
      'TE: gzip',
      'Upgrade: h2c',
      'HTTP2-Settings: AAA',
    ]);
    expect(seen).toContain('X-Other: 2');
    expect(seen).toContain(`host: ${APP_HOST}:1234`);
    expect(seen).not.toMatch(/x-mine|^keep-alive|proxy-|^te:|upgrade|http2/im);
  });

  it('never carry an id of ours that somebody else made up', async () => {
    const seen = await seenBy(['X-Berth-Id: forged']);
    expect(seen).toMatch(/^x-berth-id: [0-9a-z]+-[0-9a-z]+$/m);
    expect(seen).not.toContain('forged');
  });

  it('of an answer lose what belongs to the connection, and what only the router may say', async () => {
    await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(200, [
        ...['connection', 'x-mine'],
        ...['x-mine', '1'],
        ...['x-berth-start', 'forged'],
        ...['set-cookie', 'a=1'],
        ...['set-cookie', 'b=2'],
      ]);
      res.end('ok');
    });
    const { headers } = await call(world);
    expect(headers['x-mine']).toBeUndefined();
    expect(headers['x-berth-start']).toBe('warm');
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it.each([
    ['GET', '', ''],
    ['POST', 'Transfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ])('with bytes beyond ASCII pass unchanged, %s', async (method, header, body) => {
    const go = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (req, res) => {
      res.setHeader('x-back', req.headers['x-name'] ?? '');
      res.write('', 'latin1');
      await go.promise;
      res.end();
    });
    const socket = await dial(world);
    const answer = readAll(socket);
    socket.write(
      `${method} / HTTP/1.1\r\nHost: ${APP_HOST}\r\nX-Name: caf\xe9\r\nConnection: close\r\n${header}\r\n`,
      'latin1',
    );
    await until(() => socket.bytesRead > 0);
    socket.write(body);
    go.resolve();
    expect(await answer).toContain('x-back: caf\xe9');
  });
});

describe('the platform', () => {
  it.each(['localhost', '127.0.0.1:80', 'berth.localhost', '[::1]'])(
    'answers at %s',
    async (host) => {
      expect((await call(world, { host })).text).toBe('platform');
      expect(world.fleet.acquired).toBe(0);
    },
  );

  it('answers for the health of a sleeper without waking it', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('woken'));
    const reply = await call(world, { path: '/.well-known/berth/health' });
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.text)).toEqual({ deployment: APP, state: 'asleep', instances: 0 });
    expect(world.fleet.acquired).toBe(0);
  });
});

function* chunksOf(size: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let left = size; left > 0; left -= chunk.length)
    yield chunk.subarray(0, Math.min(left, chunk.length));
}

/** Resolves when a figure has not changed for a thousand turns of the event loop. */
async function settled(figure: () => number): Promise<void> {
  for (let last = figure(), turns = 0; turns < 1000; turns += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (figure() !== last) {
      last = figure();
      turns = 0;
    }
  }
}
