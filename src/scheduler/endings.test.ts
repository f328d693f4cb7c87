/** What becomes of requests on an instance that has to end, on virtual time with the memory engine. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { Configuration, Deployment } from '../core/model.ts';
import type { PeerConnection, Sent } from '../core/unread.ts';
import { CALM, createMemoryEngine, type MemoryEngine } from '../engines/memory/engine.ts';
import type { Lease } from '../ports/fleet.ts';
import { calmOptions, passing, readyDeployment } from './fixtures/world.ts';
import { Scheduler } from './scheduler.ts';

const { durationMs: DURATION_MS } = DEFAULT_LIMITS;

interface World {
  readonly clock: VirtualClock;
  readonly engine: MemoryEngine;
  readonly scheduler: Scheduler;
  readonly deployment: Deployment;
  /** What the kernel says of every instance. */
  connections: readonly PeerConnection[];
  /** What its health path answers. */
  health: number | undefined;
  /** Verbs on the engine as they were asked for the first instance. */
  readonly asked: string[];
  readonly reported: string[];
  lease(): Promise<Lease>;
}

async function open(configuration: Partial<Configuration> = {}): Promise<World> {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const reported: string[] = [];
  const bare = createMemoryEngine({
    clock,
    knobs: { ...CALM, delayMs: () => 1, connections: () => world.connections },
  });
  // Of the first instance only: its successors come to rest and age like any.
  let first: string | undefined;
  const ask = (id: string, verb: string) => {
    if (id === first) asked.push(verb);
  };
  const engine: MemoryEngine = {
    ...bare,
    create: (spec) => {
      first ??= spec.id;
      return bare.create(spec);
    },
    freeze: (id) => (ask(id, 'freeze'), bare.freeze(id)),
    thaw: (id) => (ask(id, 'thaw'), bare.thaw(id)),
    stop: (id, graceMs) => (ask(id, `stop ${graceMs}`), bare.stop(id, graceMs)),
  };
  const scheduler = new Scheduler(
    calmOptions({
      engine,
      clock,
      probe: { status: () => Promise.resolve(world.health) },
      reporter: { report: (_level, event) => reported.push(event) },
    }),
  );
  const deployment = readyDeployment('app', configuration);
  const soon = <T>(promise: Promise<T>) => passing(clock, promise, 1);
  const world: World = {
    clock,
    engine,
    scheduler,
    deployment,
    connections: [],
    health: 200,
    asked,
    reported,
    async lease() {
      const { signal } = new AbortController();
      const acquired = await soon(scheduler.acquire(deployment.id, signal));
      if (acquired.kind !== 'leased') throw new Error(`${acquired.kind}, not leased`);
      return acquired.lease;
    },
  };
  await soon(scheduler.start([deployment]));
  return world;
}

const from = (localPort: number, bytes = 100): Sent => ({
  localHost: '10.0.0.1',
  localPort,
  bytes,
});
const row = (peerPort: number, unreadBytes: number, isAccepted = true): PeerConnection => ({
  peerHost: '10.0.0.1',
  peerPort,
  unreadBytes,
  isAccepted,
});

/** A lease of which 100 bytes were sent from this port; `lost` is filled with what it hears, in order. */
async function send(world: World, port: number, lost: string[]): Promise<Lease> {
  const lease = await world.lease();
  lease.follow?.(() => from(port));
  lease.lost.addEventListener('abort', () => {
    lost.push(`${port} ${lease.isUnread?.() === true ? 'unread' : 'read'}`);
    lease.end('died');
  });
  return lease;
}

/** Until the deployment's only instance has run for limits.duration and another has taken its place. */
async function recycle(world: World): Promise<void> {
  await world.clock.advance(DURATION_MS + 10);
}

it('that reads none of its requests ends a second after it was replaced, and is killed where it stands', async () => {
  const world = await open();
  const lost: string[] = [];
  const first = await send(world, 1, lost);
  await send(world, 2, lost);
  world.connections = [row(1, 100), row(2, 0, false)];
  await recycle(world);
  await world.clock.advance(1_000);
  expect(lost).toEqual(['1 unread', '2 unread']);
  expect(world.asked).toEqual(['freeze', 'stop 0']);
  const next = await world.lease();
  expect(next.instanceId).not.toBe(first.instanceId);
  expect(world.scheduler.instances().map(({ inFlight }) => inFlight)).toEqual([1]);
});

it('that has read one request goes on with all of them, unfrozen, until the drain has waited long enough', async () => {
  const world = await open();
  const lost: string[] = [];
  await send(world, 1, lost);
  await send(world, 2, lost);
  world.connections = [row(1, 99), row(2, 100)];
  await recycle(world);
  await world.clock.advance(10_000);
  expect([lost, world.asked]).toEqual([[], []]);
  await world.clock.advance(DURATION_MS);
  // Then what was read is lost, and what was not is sent elsewhere; so it must not run again.
  expect(lost.toSorted()).toEqual(['1 read', '2 unread']);
  expect(world.asked).toEqual(['freeze', 'stop 0']);
});

it('that has read all when it is forced to its end gets its signal and its grace', async () => {
  const world = await open();
  const lost: string[] = [];
  await send(world, 1, lost);
  world.connections = [row(1, 0)];
  await recycle(world);
  await world.clock.advance(DURATION_MS);
  expect(lost).toEqual(['1 read']);
  expect(world.asked).toEqual(['freeze', 'stop 10000']);
});

it('that begins to read while it is being frozen goes on', async () => {
  const world = await open();
  const lost: string[] = [];
  await send(world, 1, lost);
  const looks = [[row(1, 100)], [row(1, 0)]];
  Object.defineProperty(world, 'connections', { get: () => looks.shift() ?? [row(1, 0)] });
  await recycle(world);
  await world.clock.advance(1_000);
  expect(lost).toEqual([]);
  expect(world.asked).toEqual(['freeze', 'thaw']);
});

it('that cannot be looked at loses what it holds as read, and leaves nothing behind', async () => {
  const world = await open();
  const lost: string[] = [];
  await send(world, 1, lost);
  world.engine.freeze = () => Promise.reject(new Error('no freezer'));
  world.connections = [row(1, 100)];
  Object.assign(world.engine, { connections: () => Promise.reject(new Error('no sockets')) });
  await recycle(world);
  await world.clock.advance(DURATION_MS + 1_000);
  expect(lost).toEqual(['1 read']);
  expect(world.asked).toEqual(['stop 10000']);
});

it('that does not answer its health path at all is not waited for', async () => {
  const world = await open({ healthPath: '/up' });
  const lost: string[] = [];
  const first = await send(world, 1, lost);
  await send(world, 2, lost);
  world.connections = [row(1, 0), row(2, 100)];
  world.health = undefined;
  await world.clock.advance(31_000);
  expect(lost.toSorted()).toEqual(['1 read', '2 unread']);
  world.health = 200;
  expect((await world.lease()).instanceId).not.toBe(first.instanceId);
});

it('goes on within two seconds when somebody else froze it, and nothing is lost', async () => {
  const world = await open();
  const lost: string[] = [];
  const lease = await send(world, 1, lost);
  world.engine.freezeFromOutside(lease.instanceId);
  await world.clock.advance(2_000);
  expect(await world.engine.isFrozen?.(lease.instanceId)).toBe(false);
  expect(world.reported).toContain('instance.frozen-from-outside');
  expect(lost).toEqual([]);
  // What only takes long is left alone.
  world.asked.length = 0;
  await world.clock.advance(20_000);
  expect(world.asked).toEqual([]);
});
