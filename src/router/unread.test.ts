/** What the router tells of a request that has no answer yet, against what a real app received of it. */
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Sent } from '../core/unread.ts';
import type { Lease } from '../ports/fleet.ts';
import {
  APP,
  call,
  open,
  replyTo,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';

let world: World;
const closing: Server[] = [];

afterEach(async () => {
  // What hangs ends, so that nobody waits for it.
  for (const { lost } of world.fleet.list(APP).splice(0)) lost.abort();
  await world.stop();
  for (const server of closing.splice(0)) server.close();
});

/** Every lease is followed; `isUnread` is what those that are lost are told. */
function follow(isUnread: (sent: Sent | undefined) => boolean): (() => Sent | undefined)[] {
  const followed: (() => Sent | undefined)[] = [];
  const acquire = world.fleet.acquire.bind(world.fleet);
  world.fleet.acquire = async (...asked) => {
    const acquired = await acquire(...asked);
    if (acquired.kind !== 'leased') return acquired;
    let sent: () => Sent | undefined = () => undefined;
    const lease: Lease = {
      ...acquired.lease,
      follow: (given) => {
        sent = given;
        followed.push(given);
      },
      isUnread: () => isUnread(sent()),
    };
    return { kind: 'leased', lease };
  };
  return followed;
}

/** Answers the first `answers` requests and then only listens; what each connection received since the last answer. */
async function serveThenListen(answers: number): Promise<Map<number, number>> {
  const received = new Map<number, number>();
  let left = answers;
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const port = socket.remotePort ?? 0;
      if (left > 0) {
        left -= 1;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        return;
      }
      received.set(port, (received.get(port) ?? 0) + chunk.length);
    });
  });
  closing.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  world.fleet.list(APP).push({
    id: `${APP}.listening`,
    port,
    lost: new AbortController(),
  } as ReturnType<typeof world.fleet.list>[number]);
  return received;
}

function only(received: Map<number, number>): { port: number; bytes: number } {
  const [[port, bytes] = [0, 0]] = received;
  return { port, bytes };
}

it('counts a whole request to the byte, and not what the same connection carried before', async () => {
  world = await startWorld();
  const followed = follow(() => false);
  const received = await serveThenListen(2);
  await call(world, { method: 'POST', body: 'x'.repeat(5_000) });
  await call(world);
  const waiting = call(world, { method: 'POST', body: 'three' }).catch(() => undefined);
  await until(() => only(received).bytes > 0);
  const { port, bytes } = only(received);
  expect(followed[2]?.()).toEqual({ localHost: '127.0.0.1', localPort: port, bytes });
  // The answered ones have nothing to tell.
  expect(followed[0]?.()).toBeUndefined();
  world.fleet.list(APP)[0]?.lost.abort();
  await waiting;
});

it('counts what has been sent of a body that is still coming', async () => {
  world = await startWorld();
  const followed = follow(() => false);
  const received = await serveThenListen(0);
  const request = open(world, { method: 'POST' });
  const reply = replyTo(request).catch(() => undefined);
  request.write('x'.repeat(100_000));
  await until(() => only(received).bytes > 100_000);
  const { port, bytes } = only(received);
  expect(followed[0]?.()).toEqual({ localHost: '127.0.0.1', localPort: port, bytes });
  request.write('more');
  await until(() => only(received).bytes > bytes);
  expect(followed[0]?.()?.bytes).toBe(only(received).bytes);
  world.fleet.list(APP)[0]?.lost.abort();
  await reply;
});

it('counts at least what an app that speaks HTTP/2 received since the request began', async () => {
  world = await startWorld({ protocol: () => 'h2c' });
  const followed = follow(() => false);
  const server = createHttp2Server();
  const sockets: Socket[] = [];
  let isAnswering = true;
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    if (isAnswering) stream.respond({ ':status': 200 }, { endStream: true });
  });
  closing.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  world.fleet.list(APP).push({
    id: `${APP}.listening`,
    port,
    lost: new AbortController(),
  } as ReturnType<typeof world.fleet.list>[number]);
  await call(world);
  isAnswering = false;
  const before = sockets[0]?.bytesRead ?? 0;
  const waiting = call(world, { method: 'POST', body: 'x'.repeat(3_000) }).catch(() => undefined);
  await until(() => (sockets[0]?.bytesRead ?? 0) > before + 3_000);
  const sent = followed[1]?.();
  expect(sent).toMatchObject({ localHost: '127.0.0.1', localPort: sockets[0]?.remotePort });
  expect(sent?.bytes).toBeGreaterThanOrEqual((sockets[0]?.bytesRead ?? 0) - before);
  expect(sent?.bytes).toBeLessThan(10_000);
  world.fleet.list(APP)[0]?.lost.abort();
  await waiting;
});

it.each([
  [true, 200, 'attempt 2: once'],
  [false, 502, 'POST may have been carried out'],
])(
  'sends a POST again when its loss comes with proof that nobody read it (%s)',
  async (isProven, status, text) => {
    world = await startWorld();
    follow((sent) => isProven && sent !== undefined);
    await serveThenListen(0);
    let body = '';
    const [first] = world.fleet.list(APP);
    const reply = call(world, { method: 'POST', body: 'once' });
    await until(() => world.fleet.active === 1);
    await world.fleet.serve(APP, async (req, res) => {
      for await (const chunk of req) body += String(chunk);
      res.end(`attempt 2: ${body}`);
    });
    first?.lost.abort();
    expect(await reply).toMatchObject({ status });
    expect((await reply).text).toContain(text);
    expect(body).toBe(isProven ? 'once' : '');
  },
);
