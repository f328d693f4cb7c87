/** TLS changes how a request comes and nothing else; plain requests are sent there where that is wanted. */
import { createServer, type OutgoingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request as httpsRequest } from 'node:https';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  APP,
  APP_HOST,
  call,
  type Reply,
  replyTo,
  sendRaw,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
import { openDoor } from '../tls/door.ts';
import { foreignPair, shake, startTls } from '../tls/fixtures/world.ts';
import type { RouterOptions } from './router.ts';
import type { SecureOptions } from './servers.ts';

const { pair, authority } = await foreignPair([APP_HOST, 'berth.localhost']);
const tls = { cert: pair.certificate, key: pair.key };

let world: World;
let port: number;
const agent = new Agent({ keepAlive: true, ca: authority.certificate });

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

async function start(
  secure: Partial<SecureOptions> = {},
  options: Partial<RouterOptions> = {},
): Promise<void> {
  world = await startWorld({ ...options, secure: { tls, ...secure } });
  const secureServer = world.router.secureServer!;
  await new Promise<void>((resolve) => secureServer.listen(0, '127.0.0.1', resolve));
  ({ port } = secureServer.address() as AddressInfo);
}

interface GetOptions extends Omit<RequestOptions, 'headers'> {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

function get(options: GetOptions = {}): Promise<Reply> {
  const { headers, body, ...rest } = options;
  const request = httpsRequest({
    ...{ host: '127.0.0.1', port, servername: APP_HOST, agent },
    ...rest,
    headers: { host: APP_HOST, ...headers },
  });
  const reply = replyTo(request);
  request.end(body);
  return reply;
}

describe('over TLS', () => {
  it('a request passes as over a plain connection, and the app is told', async () => {
    await start();
    await world.fleet.serve(APP, async (req, res) => {
      let size = 0;
      for await (const chunk of req) size += (chunk as Buffer).length;
      const { forwarded } = req.headers;
      res.end([size, req.headers['x-forwarded-proto'], forwarded].join(' '));
    });
    const body = 'x'.repeat(300_000);
    const reply = await get({ method: 'POST', body, headers: { 'content-length': body.length } });
    expect(reply.status).toBe(200);
    expect(reply.text).toBe(`300000 https for=127.0.0.1;host="${APP_HOST}";proto=https`);
    expect(reply.headers['x-berth-start']).toBe('warm');
    expect(reply.headers['strict-transport-security']).toBeUndefined();
    const plain = await call(world);
    expect(plain.text).toContain('0 http for=');
  });

  it('a WebSocket passes as over a plain connection', async () => {
    await start();
    const server = createServer();
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await world.fleet.adopt(APP, server);
    const socket = new WebSocket(`wss://127.0.0.1:${port}/`, {
      ...{ headers: { host: APP_HOST }, servername: APP_HOST, ca: authority.certificate },
    });
    const said = new Promise((resolve) =>
      socket.once('message', (data) => resolve((data as Buffer).toString())),
    );
    socket.once('open', () => socket.send('hello'));
    expect(await said).toBe('hello');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(4000);
    expect(await closed).toBe(4000);
    await until(() => world.records.length === 1);
  });

  it('pages link to where they can be read by the same way', async () => {
    await start();
    const reply = await get({ headers: { host: `nobody.localhost:${port}` } });
    expect(reply.status).toBe(404);
    expect(reply.text).toContain(`https://berth.localhost:${port}/docs/errors/NOT_FOUND`);
  });

  it('malformed HTTP is answered, and what is no handshake just closed', async () => {
    await start();
    const socket = connectSecure({
      host: '127.0.0.1',
      port,
      servername: APP_HOST,
      ca: [authority.certificate],
    });
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET / HTTP/1.1\r\nbad header\r\n\r\n');
    await closed;
    expect(said).toMatch(/^HTTP\/1\.1 400 /);

    const plain = connectPlain(port, '127.0.0.1');
    let heard = '';
    plain.on('data', (chunk) => {
      heard += String(chunk);
    });
    plain.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => plain.once('close', resolve));
    expect(heard).not.toContain('HTTP');
  });

  it('a handshake that does not come to its end is ended', async () => {
    await start({}, { limits: { headersTimeoutMs: 100 } });
    const silent = connectPlain(port, '127.0.0.1');
    silent.on('error', () => {});
    silent.resume();
    await new Promise((resolve) => silent.once('close', resolve));
  });

  it('closing waits for answers under way, not for handshakes', async () => {
    await start({}, { limits: { headersTimeoutMs: 600_000 } });
    const waiting = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (_req, res) => {
      arrived.resolve();
      await waiting.promise;
      res.end('done');
    });
    const silent = connectPlain(port, '127.0.0.1');
    silent.on('error', () => {});
    silent.resume();
    const silentClosed = new Promise((resolve) => silent.once('close', resolve));
    await new Promise((resolve) => silent.once('connect', resolve));
    const reply = get();
    await arrived.promise;
    const closed = world.router.close();
    waiting.resolve();
    expect((await reply).text).toBe('done');
    await closed;
    await silentClosed;
  });

  it('certificates by name and proofs for an ACME server go through the same door', async () => {
    const certificates = await startTls();
    try {
      const door = await openDoor(
        certificates.certificates,
        certificates.challenges,
        certificates.reporter,
      );
      await start({ tls: door.options, guard: (server) => door.guard(server) });
      await world.fleet.serve(APP, (_req, res) => res.end('app'));
      certificates.challenges.present({ kind: 'tls-alpn-01', hostname: APP_HOST, pair });
      const proof = await shake(port, APP_HOST, { protocols: ['acme-tls/1'] });
      expect(proof).toMatchObject({ protocol: 'acme-tls/1', names: [APP_HOST, 'berth.localhost'] });
      const ca = await certificates.trusted();
      for (const protocols of [['h2', 'http/1.1'], ['http/1.1']]) {
        const seen = await shake(port, APP_HOST, { trusted: ca, protocols });
        expect(seen).toMatchObject({ refused: undefined, names: [APP_HOST] });
        expect(seen.protocol).toBe(protocols[0]);
      }
      expect((await get({ agent: new Agent({ ca }) })).text).toBe('app');
    } finally {
      await certificates.stop();
    }
  });

  it('strict-transport-security is sent where wanted, unless the app says it itself, and never over plain', async () => {
    await start({ hstsSeconds: 300 });
    await world.fleet.serve(APP, (req, res) => {
      if (req.url === '/own') res.setHeader('Strict-Transport-Security', 'max-age=1; preload');
      res.end();
    });
    const hsts = 'strict-transport-security';
    expect((await get()).headers[hsts]).toBe('max-age=300');
    expect((await get({ path: '/own' })).headers[hsts]).toBe('max-age=1; preload');
    expect((await call(world)).headers[hsts]).toBeUndefined();
  });
});

describe('a plain request', () => {
  const proofs = (hostname: string, path: string) =>
    path === '/.well-known/acme-challenge/tok' ? `proof of ${hostname}` : undefined;
  const redirecting = () => start({ redirectPort: () => port }, { challengeAnswer: proofs });

  it('for a deployment is sent to https with its host, path and the port of TLS', async () => {
    await redirecting();
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
      const reply = await call(world, {
        ...{ method, path: '/a/b?c=%20d', host: `${APP_HOST}:${world.port}` },
        ...(method === 'POST' ? { body: 'x'.repeat(100_000) } : {}),
      });
      expect(reply.status).toBe(308);
      expect(reply.headers.location).toBe(`https://${APP_HOST}:${port}/a/b?c=%20d`);
      expect(reply.text).toBe('');
      expect(reply.headers['x-berth-id']).toBeDefined();
    }
    expect(world.fleet.acquired).toBe(0);
  });

  it('loses the port when that of TLS is the usual one', async () => {
    await start({ redirectPort: () => 443 });
    expect((await call(world)).headers.location).toBe(`https://${APP_HOST}/`);
  });

  it('for an upgrade is sent there too, and its connection ends', async () => {
    await redirecting();
    const answer = await sendRaw(
      world,
      `GET /chat HTTP/1.1\r\nhost: ${APP_HOST}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 308 /);
    expect(answer.toLowerCase()).toContain(`location: https://${APP_HOST}:${port}/chat`);
  });

  it('for the platform, or a host that leads nowhere, is answered as it is', async () => {
    await redirecting();
    expect((await call(world, { host: 'berth.localhost' })).text).toBe('platform');
    expect((await call(world, { host: '127.0.0.1' })).text).toBe('platform');
    expect((await call(world, { host: 'nobody.localhost' })).status).toBe(404);
  });

  it('for a proof of ours is answered before it would be sent to https', async () => {
    await redirecting();
    const reply = await call(world, { path: '/.well-known/acme-challenge/tok' });
    expect(reply).toMatchObject({ status: 200, text: `proof of ${APP_HOST}` });
    expect((await call(world, { path: '/.well-known/acme-challenge/other' })).status).toBe(308);
  });

  it('for a proof of ours is answered, and for others reaches the app', async () => {
    await start({}, { challengeAnswer: proofs });
    await world.fleet.serve(APP, (_req, res) => res.end('app'));
    const path = '/.well-known/acme-challenge/';
    const reply = await call(world, { path: `${path}tok` });
    expect(reply).toMatchObject({ status: 200, text: `proof of ${APP_HOST}` });
    expect((await call(world, { path: `${path}other` })).text).toBe('app');
    expect(world.fleet.acquired).toBe(1);
  });
});
