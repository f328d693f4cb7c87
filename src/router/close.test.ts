/** Closing lets what is in flight end, and nothing else hold it up. */
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  APP,
  APP_HOST,
  call,
  headOf,
  open,
  replyTo,
  startWorld,
  until,
  type World,
} from '../../test/fixtures/router-world.ts';

let world: World;
let agent: Agent;

beforeEach(async () => {
  world = await startWorld();
  agent = new Agent({ keepAlive: true });
});

afterEach(async () => {
  agent.destroy();
  await world.fleet.stop();
  expect(world.fleet.active).toBe(0);
});

describe('close', () => {
  it('waits for the answers under way, and tells their clients to come elsewhere next time', async () => {
    const gate = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (_req, res) => {
      await gate.promise;
      res.end('in time');
    });
    const reply = call(world, { agent });
    await until(() => world.fleet.active === 1);
    let isClosed = false;
    const closed = world.router.close().then(() => {
      isClosed = true;
    });
    await expect(call(world)).rejects.toThrow('ECONNREFUSED');
    expect(isClosed).toBe(false);
    gate.resolve();
    expect(await reply).toMatchObject({ text: 'in time', headers: { connection: 'close' } });
    await closed;
  });

  it('lets an answer end whose head is out already, and closes its connection then', async () => {
    const gate = Promise.withResolvers<void>();
    await world.fleet.serve(APP, async (_req, res) => {
      res.write('first ');
      await gate.promise;
      res.end('last');
    });
    const request = open(world, { agent });
    const reply = replyTo(request);
    request.end();
    await headOf(request);
    const closed = world.router.close();
    gate.resolve();
    expect((await reply).text).toBe('first last');
    await closed;
  });

  it('closes connections at rest at once', async () => {
    await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    await call(world, { agent });
    await world.router.close();
  });

  it('cuts off what has not ended in time, and ends its lease', async () => {
    await world.router.close();
    world = await startWorld({ limits: { closeMs: 1 } });
    await world.fleet.serve(APP, () => {});
    const reply = call(world);
    const failure = reply.catch((error: unknown) => String(error));
    await until(() => world.fleet.active === 1);
    await world.router.close();
    expect(await failure).toContain('socket hang up');
    expect(world.fleet.ended.map(({ how }) => how)).toEqual(['done']);
  });

  it('does not wait for WebSockets', async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    await world.fleet.adopt(APP, server);
    const socket = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: { host: APP_HOST } });
    await once(socket, 'open');
    const ended = once(socket, 'close');
    await world.router.close();
    await ended;
    sockets.close();
    await until(() => world.fleet.active === 0);
  });

  it('leaves no connection to an instance behind', async () => {
    const instance = await world.fleet.serve(APP, (_req, res) => res.end('ok'));
    await call(world);
    const count = () =>
      new Promise<number>((resolve) => {
        instance.server.getConnections((_error, connections) => resolve(connections));
      });
    expect(await count()).toBe(1);
    await world.router.close();
    await until(async () => (await count()) === 0);
  });
});
