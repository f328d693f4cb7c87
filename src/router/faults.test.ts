/** What goes wrong on the way is repeated when that is safe, and named when it is not; no lease is ever kept. */
import { Agent, type IncomingMessage } from 'node:http';
import {
  createServer as createNetServer,
  type AddressInfo,
  type Server as NetServer,
} from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  APP,
  call,
  headOf,
  open,
  replyTo,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
import { systemClock } from '../system/clock.ts';

let world: World;

beforeEach(async () => {
  world = await startWorld();
});

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

function hows(): string[] {
  return world.fleet.ended.map(({ how }) => how);
}

/** An app that hangs up on its first `times` requests once it has read them, and then answers. */
async function serveAfterHangingUp(times: number): Promise<() => number> {
  let seen = 0;
  await world.fleet.serve(APP, async (req, res) => {
    const body: Buffer[] = [];
    for await (const chunk of req) body.push(chunk as Buffer);
    seen += 1;
    if (seen <= times) req.socket.destroy();
    else res.end(`attempt ${seen}: ${Buffer.concat(body).toString()}`);
  });
  return () => seen;
}

describe('an instance that refuses the connection', () => {
  it.each([
    ['GET', undefined],
    ['POST', 'small'],
    ['POST', 'x'.repeat(1024 * 1024)],
  ])('is passed over for the next: %s', async (method, body) => {
    await world.fleet.refuse(APP);
    await world.fleet.serve(APP, async (req, res) => {
      let length = 0;
      for await (const chunk of req) length += (chunk as Buffer).length;
      res.end(`${length} bytes`);
    });
    const reply = await call(world, { method, ...(body !== undefined && { body }) });
    expect(reply.text).toBe(`${body?.length ?? 0} bytes`);
    expect(hows()).toEqual(['refused', 'done']);
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ status: 200, retries: 1 });
  });

  it('is tried four times in all', async () => {
    await world.fleet.refuse(APP);
    const reply = await call(world, { headers: { accept: 'application/json' } });
    expect(reply.status).toBe(502);
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'INSTANCE_DIED', status: 502 });
    expect(hows()).toEqual(['refused', 'refused', 'refused', 'refused']);
    expect(reply.headers['x-berth-error']).toBe('INSTANCE_DIED');
    expect(reply.headers['x-berth-start']).toBe('warm');
  });
});

describe('an instance that dies before it answers', () => {
  it.each(['GET', 'PUT', 'DELETE'])('is replaced for %s', async (method) => {
    await serveAfterHangingUp(1);
    const body = method === 'GET' ? {} : { body: 'held' };
    const reply = await call(world, { method, ...body });
    expect(reply.text).toBe(`attempt 2: ${method === 'GET' ? '' : 'held'}`);
    expect(hows()).toEqual(['died', 'done']);
  });

  it('takes two more with it when it was the request that killed it, and no fourth', async () => {
    const seen = [];
    for (let instance = 0; instance < 4; instance += 1) seen.push(await serveAfterHangingUp(1));
    const reply = await call(world);
    expect(reply.status).toBe(502);
    expect(reply.text).toContain('3 instances ended while they answered it');
    expect(seen.map((times) => times())).toEqual([1, 1, 1, 0]);
    expect(hows()).toEqual(['died', 'died', 'died']);
  });

  it('is replaced for a chunked PUT that is small enough to be held', async () => {
    await serveAfterHangingUp(1);
    const request = open(world, { method: 'PUT' });
    const reply = replyTo(request);
    request.write('in ');
    await until(() => world.fleet.acquired === 1);
    request.end('parts');
    expect((await reply).text).toBe('attempt 2: in parts');
  });

  it('is not replaced for a POST, which might have been carried out', async () => {
    const seen = await serveAfterHangingUp(1);
    const reply = await call(world, { method: 'POST', body: 'once' });
    expect(reply.status).toBe(502);
    expect(reply.text).toContain('POST may have been carried out');
    expect(seen()).toBe(1);
    expect(hows()).toEqual(['died']);
  });

  it('is not replaced for a body that is no longer held', async () => {
    const seen = await serveAfterHangingUp(1);
    const reply = await call(world, { method: 'PUT', body: 'x'.repeat(1024 * 1024) });
    expect(reply.status).toBe(502);
    expect(reply.text).toContain('part of the body is gone');
    expect(seen()).toBe(1);
  });

  it('is replaced at once when the fleet is first to know', async () => {
    const dying = await world.fleet.serve(APP, () => {});
    const reply = call(world);
    await until(() => world.fleet.active === 1);
    await world.fleet.serve(APP, (_req, res) => res.end('another'));
    world.fleet.leave(APP, dying);
    dying.lost.abort();
    expect((await reply).text).toBe('another');
    expect(hows()).toEqual(['died', 'done']);
  });
});

describe('an instance that dies within its answer', () => {
  it.each([
    ['of known length', { 'content-length': '100' }],
    ['in chunks', {}],
  ])('cuts the answer off, so that the client sees it: %s', async (_name, headers) => {
    const instance = await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(200, headers);
      res.write('the first half');
    });
    const request = open(world);
    request.end();
    const response = await headOf(request);
    await new Promise((resolve) => {
      response.once('data', resolve);
    });
    instance.cut();
    await expect(readToEnd(response)).rejects.toThrow('aborted');
    await until(() => world.records.length === 1);
    expect(hows()).toEqual(['died']);
    expect(world.records[0]).toMatchObject({ status: 200, error: 'INSTANCE_DIED', aborted: true });
  });

  it('is left when the fleet says so', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => {
      res.write('the first half');
    });
    const request = open(world);
    request.end();
    const response = await headOf(request);
    instance.lost.abort();
    await expect(readToEnd(response)).rejects.toThrow('aborted');
    expect(hows()).toEqual(['died']);
  });
});

describe('an answer that is not HTTP', () => {
  let garbler: NetServer;
  afterEach(() => garbler.close());

  async function garble(garbage: string): Promise<void> {
    garbler = createNetServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(garbage, 'latin1'));
    });
    await new Promise<void>((resolve) => {
      garbler.listen(0, '127.0.0.1', resolve);
    });
    await world.fleet.refuse(APP);
    const [instance] = world.fleet.list(APP);
    Object.assign(instance ?? {}, { port: (garbler.address() as AddressInfo).port });
  }

  it.each([
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n',
    'HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx-bad: \u0001\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx-bad: a\rset-cookie: b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx-bad : a\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx-bad: a\r\n folded\r\n\r\n',
    `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(70_000)}\r\n\r\n`,
  ])('is a 502 that says so, and nobody is blamed for dying: %#', async (garbage) => {
    await garble(garbage);
    // Through the pool, and over a connection of its own.
    const streamed = { method: 'POST', body: 'x'.repeat(70_000) };
    expect((await call(world, streamed)).headers['x-berth-error']).toBe('BAD_RESPONSE');
    const reply = await call(world);
    expect(reply.status).toBe(502);
    expect(reply.headers['x-berth-error']).toBe('BAD_RESPONSE');
    expect(reply.text).toContain('not valid HTTP');
    expect(hows()).toEqual(['done', 'done']);
  });

  it('behind its head cuts the answer off, under the same code', async () => {
    await garble('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n');
    await expect(call(world)).rejects.toThrow('aborted');
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ error: 'BAD_RESPONSE', aborted: true });
    expect(hows()).toEqual(['done']);
  });
});

describe('a client that leaves', () => {
  it('takes its request away from the app', async () => {
    const seen = Promise.withResolvers<IncomingMessage>();
    await world.fleet.serve(APP, (req) => seen.resolve(req));
    const request = open(world);
    request.on('error', () => {});
    request.end();
    const upstream = await seen.promise;
    const closed = new Promise((resolve) => {
      upstream.socket.once('close', resolve);
    });
    request.destroy();
    await closed;
    await until(() => world.records.length === 1);
    expect(hows()).toEqual(['done']);
    expect(world.records[0]).toMatchObject({ status: 0, aborted: true });
  });

  it('within its upload, likewise', async () => {
    const aborted = Promise.withResolvers<void>();
    await world.fleet.serve(APP, (req) => {
      req.resume();
      req.once('aborted', aborted.resolve);
    });
    const request = open(world, { method: 'POST' });
    request.on('error', () => {});
    request.write('some');
    await until(() => world.fleet.active === 1);
    request.destroy();
    await aborted.promise;
    await until(() => world.fleet.active === 0);
  });

  it('within the answer, likewise', async () => {
    const closed = Promise.withResolvers<void>();
    await world.fleet.serve(APP, (_req, res) => {
      res.write('some');
      res.once('close', closed.resolve);
    });
    const request = open(world);
    request.end();
    (await headOf(request)).on('error', () => {});
    request.destroy();
    await closed.promise;
    await until(() => world.fleet.active === 0);
  });

  it('while it waits for an instance never gets one', async () => {
    world.fleet.gate = new Promise(() => {});
    await world.fleet.serve(APP, () => {});
    const request = open(world);
    request.on('error', () => {});
    request.end();
    await until(() => world.fleet.waiting === 1);
    request.destroy();
    await until(() => world.fleet.waiting === 0);
    expect(world.fleet.acquired).toBe(0);
  });
});

describe('limits.duration', () => {
  it('answers 504 when the app has not begun', async () => {
    await world.stop();
    world = await startWorld({ durationMs: () => 1 });
    await world.fleet.serve(APP, () => {});
    const reply = await call(world);
    expect(reply.status).toBe(504);
    expect(reply.headers['x-berth-error']).toBe('DURATION_EXCEEDED');
    expect(hows()).toEqual(['done']);
  });

  it('answers 504 when it passes while the lease of another attempt is on its way', async () => {
    await world.stop();
    world = await startWorld({ durationMs: () => 1 });
    await world.fleet.serve(APP, (req) => req.socket.destroy());
    const acquire = world.fleet.acquire.bind(world.fleet);
    world.fleet.acquire = async (...asked) => {
      const acquired = await acquire(...asked);
      const [, signal] = asked;
      const hasPassed = new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
      // The deadline runs since the first attempt.
      if (world.fleet.acquired > 1) await hasPassed;
      return acquired;
    };
    const reply = await call(world);
    expect(reply.status).toBe(504);
    expect(reply.headers['x-berth-error']).toBe('DURATION_EXCEEDED');
    expect(hows()).toEqual(['died', 'done']);
  });

  it('cuts an answer off that does not end', async () => {
    await world.stop();
    world = await startWorld({ durationMs: () => 1 });
    await world.fleet.serve(APP, (_req, res) => {
      res.write('on and on');
    });
    const request = open(world);
    request.end();
    await expect(readToEnd(await headOf(request))).rejects.toThrow('aborted');
    await until(() => world.records.length === 1);
    expect(world.records[0]).toMatchObject({ error: 'DURATION_EXCEEDED', aborted: true });
  });
});

describe('a failure', () => {
  it('of the fleet is passed on as its own page', async () => {
    world.fleet.list(APP);
    const reply = await call(world, { headers: { accept: 'text/html' } });
    expect(reply.status).toBe(503);
    expect(reply.headers['x-berth-error']).toBe('NOT_READY');
    expect(reply.headers['retry-after']).toBe('1');
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('that nobody thought of is INTERNAL, and tells nothing of the inside', async () => {
    await world.stop();
    world = await startWorld();
    world.fleet.acquire = () => Promise.reject(new Error('secret detail'));
    const reply = await call(world);
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret');
  });

  it('is answered to a client that is still sending, over a connection that goes on', async () => {
    let connections = 0;
    world.router.server.on('connection', () => {
      connections += 1;
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const host = 'nobody.localhost';
    for (let i = 0; i < 2; i += 1) {
      const body = Buffer.alloc(4 * 1024 * 1024);
      const reply = await call(world, { method: 'POST', host, agent, body });
      expect(reply.status).toBe(404);
    }
    expect(connections).toBe(1);
    agent.destroy();
  });
});

describe('hundreds of requests among faults of every kind', () => {
  it('leave no lease behind', async () => {
    let count = 0;
    const instance = await world.fleet.serve(APP, async (req, res) => {
      count += 1;
      const kind = count % 5;
      if (kind === 0) {
        req.socket.destroy();
        return;
      }
      if (kind === 1) res.writeHead(200, { 'content-length': 1000 }).write('half');
      if (kind === 1) {
        req.socket.destroySoon();
        return;
      }
      let length = 0;
      for await (const chunk of req) length += (chunk as Buffer).length;
      await systemClock.sleep(kind);
      res.end(`${length}`);
    });
    await world.fleet.refuse(APP);
    const spare = await world.fleet.serve(APP, (req, res) => req.pipe(res));
    const sizes = [0, 10, 100_000, 3_000_000];
    const calls = Array.from({ length: 400 }, async (_, i) => {
      const size = sizes[i % sizes.length] ?? 0;
      const method = size === 0 ? 'GET' : i % 2 === 0 ? 'PUT' : 'POST';
      const request = open(world, { method });
      request.on('error', () => {});
      const ended = replyTo(request).then(
        () => {},
        () => {},
      );
      if (size > 0) request.write(Buffer.alloc(size));
      if (i % 7 === 0) setImmediate(() => request.destroy());
      else request.end();
      if (i === 200) await spare.kill();
      if (i === 300) instance.cut();
      await ended;
    });
    await Promise.all(calls);
    await until(() => world.fleet.active === 0);
    expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
    expect(new Set(hows())).toEqual(new Set(['done', 'died', 'refused']));
  });
});

async function readToEnd(response: IncomingMessage): Promise<void> {
  for await (const _chunk of response);
}
