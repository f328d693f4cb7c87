/** An app says with any answer for how long it is busy; clients neither see it nor can say it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { APP, APP_HOST, call, startWorld, type World } from '../../test/fixtures/router-world.ts';

let world: World;

beforeEach(async () => {
  world = await startWorld();
});

afterEach(async () => {
  await world.stop();
  expect(world.fleet.active).toBe(0);
});

describe('x-berth-busy', () => {
  it('on an answer is told to the fleet as it stands, and never to the client', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => {
      res.writeHead(500, { 'X-Berth-Busy': '10m', 'x-other': 'kept' }).end('ok');
    });
    const reply = await call(world, { method: 'POST', body: 'x' });
    expect(reply).toMatchObject({ status: 500, text: 'ok', headers: { 'x-other': 'kept' } });
    expect(reply.headers).not.toHaveProperty('x-berth-busy');
    expect(world.fleet.said).toEqual([{ instanceId: instance.id, said: '10m' }]);
  });

  it('on the answer to a WebSocket is told too', async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('headers', (headers) => headers.push('x-berth-busy: 90s'));
    const instance = await world.fleet.adopt(APP, server);
    const socket = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: { host: APP_HOST } });
    const [response] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string> }];
    expect(response.headers).not.toHaveProperty('x-berth-busy');
    expect(world.fleet.said).toEqual([{ instanceId: instance.id, said: '90s' }]);
    socket.terminate();
  });

  it('from a client is passed to nobody', async () => {
    const seen: unknown[] = [];
    await world.fleet.serve(APP, (req, res) => {
      seen.push(req.headers['x-berth-busy']);
      res.end();
    });
    await call(world, { headers: { 'x-berth-busy': '1h' } });
    expect(seen).toEqual([undefined]);
    expect(world.fleet.said).toEqual([]);
  });
});

describe('/.well-known/berth/busy from outside', () => {
  it.each(['GET', 'POST', 'HEAD'])(
    'is refused with INSIDE_ONLY and not passed on (%s)',
    async (method) => {
      const instance = await world.fleet.serve(APP, (_req, res) => res.end('app'));
      const path = '/.well-known/berth/busy?for=10m';
      const reply = await call(world, { method, path });
      expect(reply.status).toBe(403);
      expect(reply.headers['x-berth-error']).toBe('INSIDE_ONLY');
      expect(instance.accepted()).toBe(0);
      expect(world.fleet.said).toEqual([]);
      expect(world.records[0]).toMatchObject({ status: 403, error: 'INSIDE_ONLY' });
    },
  );

  it('as a WebSocket is refused as well', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('app'));
    const socket = new WebSocket(`ws://127.0.0.1:${world.port}/.well-known/berth/busy`, {
      headers: { host: APP_HOST },
    });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
    expect(world.fleet.acquired).toBe(0);
  });

  it('does not take paths that only begin so', async () => {
    await world.fleet.serve(APP, (req, res) => res.end(req.url));
    const path = '/.well-known/berth/busybody';
    expect((await call(world, { path })).text).toBe(path);
  });
});
