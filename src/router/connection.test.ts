/** A connection to an instance is used again only when it is certain what would be read from it. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { APP, call, startWorld, until, type World } from '../../test/fixtures/router-world.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n';

let world: World;
let app: Server;
/** In the order in which they were accepted. */
let sockets: Socket[];
/** What the app got, over all connections. */
let seen: string;

beforeEach(async () => {
  world = await startWorld({ limits: { upstreamKeepAliveMs: 60_000 } });
  sockets = [];
  seen = '';
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  app.close();
  await world.stop();
});

/** `answer` is called with the number of the connection for every piece of a request. */
async function serve(answer: (socket: Socket, connection: number) => void): Promise<void> {
  app = createServer((socket) => {
    sockets.push(socket);
    const connection = sockets.length;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      seen += bytes.toString('latin1');
      answer(socket, connection);
    });
  });
  await new Promise<void>((resolve) => {
    app.listen(0, '127.0.0.1', resolve);
  });
  await world.fleet.refuse(APP);
  const [instance] = world.fleet.list(APP);
  Object.assign(instance ?? {}, { port: (app.address() as AddressInfo).port });
}

it('is used again for one request after the other', async () => {
  await serve((socket, connection) => socket.write(`${OK}n${connection}`));
  for (let request = 0; request < 3; request += 1) expect((await call(world)).text).toBe('n1');
  expect(sockets).toHaveLength(1);
});

it('with bytes behind its answer is not: they would be the next one’s answer', async () => {
  await serve((socket, connection) => socket.write(`${OK}n${connection}${OK}!!`));
  expect((await call(world)).text).toBe('n1');
  expect((await call(world)).text).toBe('n2');
});

it('on which the app speaks unasked is closed', async () => {
  await serve((socket, connection) => socket.write(`${OK}n${connection}`));
  expect((await call(world)).text).toBe('n1');
  const [socket] = sockets;
  const closed = new Promise((resolve) => socket?.once('close', resolve));
  socket?.write(`${OK}!!`);
  await closed;
  expect((await call(world)).text).toBe('n2');
});

it('that the app has closed is not', async () => {
  await serve((socket, connection) => socket.end(`${OK}n${connection}`));
  expect((await call(world)).text).toBe('n1');
  await until(() => sockets[0]?.destroyed === true);
  expect((await call(world)).text).toBe('n2');
});

it.each([
  ['HEAD', undefined],
  ['DELETE', 'body'],
])('is not after %s, and the app is told so', async (method, body) => {
  await serve((socket) => socket.write(method === 'HEAD' ? OK : `${OK}ok`));
  await call(world, { method, ...(body !== undefined && { body }) });
  expect(seen).toContain('\r\nconnection: close\r\n');
  await call(world, { method, ...(body !== undefined && { body }) });
  expect(sockets).toHaveLength(2);
});

it('rests no longer than it may', async () => {
  await world.stop();
  world = await startWorld({ limits: { upstreamKeepAliveMs: 1 } });
  await serve((socket, connection) => socket.write(`${OK}n${connection}`));
  expect((await call(world)).text).toBe('n1');
  await until(() => sockets[0]?.destroyed === true);
});

it('carries a body that is larger than a packet, and says how long it is', async () => {
  const body = 'é'.repeat(5_000);
  await serve((socket) => {
    if (seen.endsWith('\xc3\xa9'.repeat(5_000))) socket.write(`${OK}ok`);
  });
  expect((await call(world, { method: 'PUT', body })).text).toBe('ok');
  expect(seen).toContain('\r\ncontent-length: 10000\r\n');
});

it('says that a POST without a body has none', async () => {
  await serve((socket) => socket.write(`${OK}ok`));
  await call(world, { method: 'POST' });
  expect(seen).toContain('\r\ncontent-length: 0\r\n');
});
