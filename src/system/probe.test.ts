/** The probe speaks what the app speaks: real servers of both kinds, and some that are of no use. */
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { httpProbe } from './probe.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<{ host: string; port: number }> {
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const patiently = () => AbortSignal.timeout(10_000);
const http2App = () => {
  const server = createHttp2();
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': headers[':path'] === '/up' ? 204 : 503 }, { endStream: true });
  });
  return listen(server);
};

it.each([
  ['/up', 204],
  ['/down', 503],
])('asks an app that speaks only HTTP/2 by prior knowledge: %s says %i', async (path, status) => {
  const at = { ...(await http2App()), path, protocol: 'h2c' } as const;
  expect(await httpProbe.status(at, patiently())).toBe(status);
  // Its connection is of no further use, and is not kept.
  while (sockets.some((socket) => !socket.destroyed)) await systemClock.sleep(1);
});

it('asks an app that speaks HTTP/1.1, which is what an app speaks that says nothing', async () => {
  const at = await listen(
    createHttp((request, response) => {
      response.statusCode = request.url === '/up?deep' ? 200 : 500;
      response.end();
    }),
  );
  expect(await httpProbe.status({ ...at, path: '/up?deep' }, patiently())).toBe(200);
  expect(await httpProbe.status({ ...at, path: '/', protocol: 'http1' }, patiently())).toBe(500);
});

it('has no answer from the wrong protocol, from nobody, or from one that hangs up', async () => {
  const path = '/up';
  const http1 = await listen(createHttp((_request, response) => response.end()));
  expect(await httpProbe.status({ ...http1, path, protocol: 'h2c' }, patiently())).toBeUndefined();
  const gone = await listen(createTcp());
  servers.splice(0).at(-1)?.close();
  expect(await httpProbe.status({ ...gone, path, protocol: 'h2c' }, patiently())).toBeUndefined();
  const hangsUp = await listen(createTcp((socket) => socket.end()));
  for (const protocol of ['h2c', 'http1'] as const)
    expect(await httpProbe.status({ ...hangsUp, path, protocol }, patiently())).toBeUndefined();
});

it.each(['h2c', 'http1'] as const)(
  'waits for a silent app as long as it is told: %s',
  async (protocol) => {
    const silent = await listen(createTcp(() => {}));
    const over = new AbortController();
    const status = httpProbe.status({ ...silent, path: '/up', protocol }, over.signal);
    while (sockets.length === 0) await systemClock.sleep(1);
    over.abort();
    expect(await status).toBeUndefined();
  },
);
