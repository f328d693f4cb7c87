/** An app that speaks HTTP/2 (`"protocol": "h2c"`), which is what gRPC needs: streams both ways, trailers, and failures in its own words. */
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  APP,
  APP_HOST,
  call,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';

let world: World;
const opened: (() => unknown)[] = [];

beforeEach(async () => {
  world = await startWorld({ protocol: () => 'h2c' });
});

afterEach(async () => {
  for (const close of opened.splice(0)) close();
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

/** Adds an instance that listens on a port already. */
function addInstance(port: number, lost = new AbortController()): AbortController {
  world.fleet.list(APP).push({ id: `at-${port}`, port, lost } as never);
  return lost;
}

const bytes = (buffer: Buffer) => buffer;
const method = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});
const service = { say: method('/test.Echo/Say', false), chat: method('/test.Echo/Chat', true) };

const say: handleUnaryCall<Buffer, Buffer> = (request, reply) => {
  const text = request.request.toString();
  if (text === 'fail') {
    reply({ code: status.FAILED_PRECONDITION, details: 'not today: ü' });
    return;
  }
  const trailers = new Metadata();
  trailers.set('x-after', 'yes');
  reply(null, Buffer.from(`heard ${text}`), trailers);
};

const chat: handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
  stream.on('data', (message: Buffer) => stream.write(Buffer.from(`heard ${message.toString()}`)));
  stream.on('end', () => stream.end());
};

async function serveGrpc(): Promise<Server> {
  const server = new Server();
  server.addService(service, { say, chat });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  opened.push(() => server.forceShutdown());
  addInstance(port);
  return server;
}

function newClient(): Client {
  const client = new Client(`127.0.0.1:${world.port}`, credentials.createInsecure(), {
    'grpc.default_authority': APP_HOST,
    'grpc.enable_retries': 0,
  });
  opened.push(() => client.close());
  return client;
}

interface Said {
  readonly error: ServiceError | null;
  readonly text: string | undefined;
  readonly trailers: Metadata | undefined;
}

function ask(client: Client, text: string): Promise<Said> {
  return new Promise((resolve) => {
    let trailers: Metadata | undefined;
    const unary = client.makeUnaryRequest(
      service.say.path,
      bytes,
      bytes,
      Buffer.from(text),
      new Metadata(),
      (error, answer) => setImmediate(() => resolve({ error, text: answer?.toString(), trailers })),
    );
    unary.on('status', ({ metadata }) => {
      trailers = metadata;
    });
  });
}

describe('a call of gRPC', () => {
  it('gets its answer with the trailers behind it', async () => {
    await serveGrpc();
    const client = newClient();
    const { error, text, trailers } = await ask(client, 'hello');
    expect(error).toBeNull();
    expect(text).toBe('heard hello');
    expect(trailers?.get('x-after')).toEqual(['yes']);
    const large = 'x'.repeat(3_000_000);
    expect((await ask(client, large)).text?.length).toBe(large.length + 6);
  });

  it('gets the failure that the app names', async () => {
    await serveGrpc();
    const { error } = await ask(newClient(), 'fail');
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'not today: ü' });
  });

  it('may stream both ways at once, message by message', async () => {
    await serveGrpc();
    const stream = newClient().makeBidiStreamRequest(service.chat.path, bytes, bytes);
    for (const word of ['one', 'two', 'three']) {
      const heard = once(stream, 'data');
      stream.write(Buffer.from(word));
      expect(String((await heard)[0])).toBe(`heard ${word}`);
    }
    const ended = once(stream, 'status');
    stream.end();
    stream.resume();
    expect((await ended)[0]).toMatchObject({ code: status.OK });
  });

  it('that is cancelled is taken away from the app', async () => {
    await serveGrpc();
    const stream = newClient().makeBidiStreamRequest(service.chat.path, bytes, bytes);
    stream.on('error', () => {});
    const heard = once(stream, 'data');
    stream.write(Buffer.from('one'));
    await heard;
    expect(world.fleet.active).toBe(1);
    stream.cancel();
    await until(() => world.fleet.active === 0);
  });

  it.each([
    ['nobody is there', 'INSTANCE_DIED', status.UNAVAILABLE],
    ['nothing is deployed', 'NOT_FOUND', status.UNIMPLEMENTED],
  ])('hears in its own words that %s', async (_name, code, expected) => {
    if (code === 'INSTANCE_DIED') await world.fleet.refuse(APP);
    const { error } = await ask(newClient(), 'hello');
    expect(error?.code).toBe(expected);
    expect(error?.details).toContain(code);
  });

  it('whose app dies within the answer hears that it is unavailable', async () => {
    const server = await serveGrpc();
    const stream = newClient().makeBidiStreamRequest(service.chat.path, bytes, bytes);
    const failed = new Promise((resolve) => stream.once('status', resolve));
    stream.on('error', () => {});
    const heard = once(stream, 'data');
    stream.write(Buffer.from('one'));
    await heard;
    stream.resume();
    server.forceShutdown();
    expect(await failed).toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe('an app that speaks HTTP/2', () => {
  let server: Http2Server;
  let sessions: ServerHttp2Session[];

  beforeEach(async () => {
    sessions = [];
    server = createServer();
    server.on('session', (session) => sessions.push(session));
    opened.push(() => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    addInstance((server.address() as AddressInfo).port);
  });

  it('serves clients of HTTP/1.1 over one connection, which goes when the instance does', async () => {
    server.on('stream', (stream, headers) => {
      const { ':authority': authority, ':path': path, te, ':method': asked } = headers;
      stream.respond({ ':status': 201, 'x-own': 'yes' });
      stream.end([asked, authority, path, te].join(' '));
    });
    for (const body of [undefined, 'small', 'x'.repeat(200_000)]) {
      const reply = await call(world, {
        ...{
          path: '/a?b',
          method: body === undefined ? 'GET' : 'POST',
          headers: { te: 'trailers' },
        },
        ...(body === undefined ? {} : { body }),
      });
      expect(reply.status).toBe(201);
      expect(reply.headers['x-own']).toBe('yes');
      expect(reply.text).toMatch(new RegExp(`^(?:GET|POST) ${APP_HOST} /a\\?b trailers$`));
    }
    expect(sessions).toHaveLength(1);
    const closed = once(sessions[0]!, 'close');
    world.router.forget(world.fleet.list(APP)[0]!.id);
    await closed;
  });

  it('may refuse a stream, which is then sent again whatever its method', async () => {
    let count = 0;
    server.on('stream', (stream) => {
      count += 1;
      stream.on('error', () => {});
      if (count === 1) stream.close(7);
      else {
        stream.respond();
        stream.end('second');
      }
    });
    expect((await call(world, { method: 'POST', body: 'once' })).text).toBe('second');
  });

  it('that dies before it answers is asked again for GET and not for POST', async () => {
    let count = 0;
    server.on('stream', (stream) => {
      count += 1;
      if (count % 2 === 1) stream.session?.destroy();
      else {
        stream.respond();
        stream.end('again');
      }
    });
    expect((await call(world)).text).toBe('again');
    const reply = await call(world, { method: 'POST', body: 'once' });
    expect(reply).toMatchObject({ status: 502, headers: { 'x-berth-error': 'INSTANCE_DIED' } });
  });
});
