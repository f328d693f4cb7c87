/** WebSockets pass unread in both directions, and hold their lease as long as they are open. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  APP,
  APP_HOST,
  dial,
  readAll,
  sendRaw,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';
import type { LocalInstance } from '../../test/fixtures/local-fleet.ts';

let world: World;

beforeEach(async () => {
  world = await startWorld();
});

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

async function serveWebSockets(onSocket: (socket: WebSocket) => void): Promise<LocalInstance> {
  const server = createServer((_req, res) => res.end('plain'));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', onSocket);
  return world.fleet.adopt(APP, server);
}

function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

function openSocket(host = APP_HOST): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${world.port}/chat?x=1`, { headers: { host } });
}

const HANDSHAKE = [
  'GET / HTTP/1.1',
  `Host: ${APP_HOST}`,
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n');

/** An app that speaks a protocol of its own after the upgrade. */
async function serveUpgrades(onUpgrade: (socket: Socket) => void): Promise<LocalInstance> {
  const server = createServer();
  server.on('upgrade', (_req, socket) => {
    socket.write('HTTP/1.1 101 Over\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    onUpgrade(socket as Socket);
  });
  return world.fleet.adopt(APP, server);
}

describe('a WebSocket', () => {
  it('is opened with how it was served, echoes, and closes with its code', async () => {
    world.fleet.start = 'parked';
    const closedAtApp = Promise.withResolvers<[number, string]>();
    await serveWebSockets((socket) => {
      echo(socket);
      socket.on('close', (code, reason) => closedAtApp.resolve([code, reason.toString()]));
    });
    const socket = openSocket();
    const opened = once(socket, 'open');
    const [response] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string> }];
    expect(response.headers['x-berth-start']).toBe('parked');
    expect(response.headers['x-berth-id']).toBeDefined();
    expect(response.headers['server-timing']).toMatch(/^wait;dur=1\.3, .*app;dur=/);
    await opened;
    expect(world.fleet.active).toBe(1);
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    expect(world.fleet.active).toBe(1);
    socket.close(4001, 'bye');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, 'bye']);
    expect(await closedAtApp.promise).toEqual([4001, 'bye']);
    await until(() => world.records.length === 1);
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['done']);
    expect(world.records[0]).toMatchObject({
      status: 101,
      path: '/chat',
      start: 'parked',
      aborted: false,
    });
    expect(world.records[0]?.bytesIn).toBeGreaterThan(5);
    expect(world.records[0]?.bytesOut).toBeGreaterThan(5);
  });

  it('is closed by the app with its code', async () => {
    await serveWebSockets((socket) => socket.close(1012, 'restart'));
    const socket = openSocket();
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1012, 'restart']);
  });

  it('carries messages of many megabytes', async () => {
    await serveWebSockets(echo);
    const socket = openSocket();
    await once(socket, 'open');
    const big = Buffer.alloc(24 * 1024 * 1024, 'ab');
    socket.send(big);
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.equals(big)).toBe(true);
    socket.close();
    await once(socket, 'close');
  });

  it('that the app refuses gets its answer', async () => {
    const server = createServer();
    server.on('upgrade', (_req, socket) => {
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope');
    });
    await world.fleet.adopt(APP, server);
    const answer = await sendRaw(world, HANDSHAKE);
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(answer).toMatch(/\r\n\r\nnope$/);
    expect(answer).toMatch(/x-berth-start: warm/);
  });

  it('to an app that knows none gets its plain answer', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('what?'));
    expect(await sendRaw(world, HANDSHAKE)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nwhat\?$/s);
  });

  it('finds the next instance when one refuses the connection', async () => {
    await world.fleet.refuse(APP);
    await serveWebSockets(echo);
    const socket = openSocket();
    await once(socket, 'open');
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['refused']);
    socket.terminate();
  });

  it('to nothing known is a 404', async () => {
    const answer = await sendRaw(world, HANDSHAKE.replace(APP_HOST, 'nobody.localhost'));
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('x-berth-error: NOT_FOUND');
  });

  it('is closed with 1012 when its instance has to go, and that is a proper end', async () => {
    const instance = await serveWebSockets(echo);
    const socket = openSocket();
    await once(socket, 'open');
    instance.lost.abort();
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1012);
    await until(() => world.records.length === 1);
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['done']);
    expect(world.records[0]).toMatchObject({ status: 101, error: undefined, aborted: false });
  });

  it('is cut when its instance is lost within a frame that it never ends', async () => {
    await world.stop();
    world = await startWorld({ limits: { goodbyeMs: 1 } });
    const instance = await serveUpgrades((app) => app.write(Buffer.from([0x82, 100, 1, 2, 3])));
    const client = await dial(world);
    client.write(HANDSHAKE);
    const answer = readAll(client);
    await until(() => client.bytesRead > 150);
    instance.lost.abort();
    expect((await answer).endsWith('\x82d\x01\x02\x03')).toBe(true);
    await until(() => world.records.length === 1);
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['died']);
    expect(world.records[0]).toMatchObject({ status: 101, error: 'INSTANCE_DIED', aborted: true });
  });

  it('is cut when the instance dies', async () => {
    const instance = await serveWebSockets(echo);
    const socket = openSocket();
    await once(socket, 'open');
    instance.cut();
    expect((await once(socket, 'close'))[0]).toBe(1006);
  });

  it('of a client that vanishes is taken away from the app', async () => {
    const closed = Promise.withResolvers<number>();
    await serveWebSockets((socket) => socket.on('close', closed.resolve));
    const socket = openSocket();
    await once(socket, 'open');
    socket.terminate();
    expect(await closed.promise).toBe(1006);
    await until(() => world.fleet.active === 0);
  });

  it('of a client that leaves while it waits never gets an instance', async () => {
    world.fleet.gate = new Promise(() => {});
    await serveWebSockets(echo);
    const socket = await dial(world);
    socket.write(HANDSHAKE);
    await until(() => world.fleet.waiting === 1);
    socket.end();
    await until(() => world.fleet.waiting === 0);
    expect(world.fleet.acquired).toBe(0);
    socket.destroy();
  });
});

describe('spliced sockets', () => {
  it('pass what came behind the handshake, on both sides', async () => {
    await serveUpgrades((socket) => {
      socket.write('first words ');
      socket.on('data', (chunk) => socket.end(`heard ${chunk.toString()}`));
    });
    expect(await sendRaw(world, `${HANDSHAKE}early`)).toMatch(/\r\n\r\nfirst words heard early$/);
  });

  it('pass an end on, and what the other side says after it', async () => {
    await serveUpgrades((socket) => {
      socket.resume();
      socket.on('end', () => socket.end('last words'));
    });
    const client = await dial(world);
    const answer = readAll(client);
    client.write(HANDSHAKE);
    await until(() => client.bytesRead > 0);
    client.end();
    expect(await answer).toMatch(/\r\n\r\nlast words$/);
  });

  it('do not stay half closed for ever', async () => {
    await world.stop();
    world = await startWorld({ limits: { halfClosedMs: 1 } });
    await serveUpgrades((socket) => socket.resume());
    const client = await dial(world);
    const answer = readAll(client);
    client.write(HANDSHAKE);
    await until(() => client.bytesRead > 0);
    client.end();
    await answer;
    await until(() => world.fleet.active === 0);
  });

  it('hold a fast side back for a slow one', async () => {
    let written = 0;
    await serveUpgrades((socket) => {
      const chunk = Buffer.alloc(64 * 1024);
      const feed = () => {
        do written += chunk.length;
        while (socket.write(chunk) && written < 512 * 1024 * 1024);
      };
      socket.on('drain', feed);
      socket.on('error', () => {});
      feed();
    });
    const client = await dial(world);
    client.on('error', () => {});
    client.write(HANDSHAKE);
    let last = -1;
    for (let calm = 0; calm < 1000; calm += 1) {
      if (written !== last) calm = 0;
      last = written;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    client.destroy();
    await until(() => world.fleet.active === 0);
  });
});

describe('the platform', () => {
  const platformHandshake = HANDSHAKE.replace(APP_HOST, 'localhost');

  it('is handed its own WebSockets', async () => {
    await world.stop();
    world = await startWorld({
      platformUpgrade: (_req, socket) => socket.end('HTTP/1.1 101 Mine\r\n\r\n'),
    });
    expect(await sendRaw(world, platformHandshake)).toMatch(/^HTTP\/1\.1 101 Mine/);
  });

  it('that takes none answers plainly', async () => {
    expect(await sendRaw(world, platformHandshake)).toMatch(/^HTTP\/1\.1 200 OK.*platform$/s);
  });
});

describe('another upgrade', () => {
  it('is not taken: the request is served as it is', async () => {
    await world.fleet.serve(APP, (req, res) => res.end(`upgrade: ${req.headers.upgrade}`));
    const request = HANDSHAKE.replace('Upgrade: websocket', 'Upgrade: h2c').replace(
      'keep-alive',
      'close',
    );
    expect(await sendRaw(world, request)).toMatch(/^HTTP\/1\.1 200 OK.*upgrade: undefined$/s);
  });
});
