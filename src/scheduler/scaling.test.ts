/** What environments ask of the scheduler: instances kept, and instances ready before a switch. In virtual time. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { SeededRandom } from '../../sim/random.ts';
import type { Configuration } from '../core/model.ts';
import type { Lease } from '../ports/fleet.ts';
import { CALM, createMemoryEngine, type MemoryKnobs } from '../engines/memory/engine.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { calmOptions, passing as passingOn, readyDeployment } from './fixtures/world.ts';
import { Scheduler } from './scheduler.ts';

/** A verified deployment at rest, and what it takes to watch it. */
async function world(knobs: Partial<MemoryKnobs> = {}, configuration: Partial<Configuration> = {}) {
  const clock = new VirtualClock();
  const engine = createMemoryEngine({ clock, knobs: { ...CALM, ...knobs } });
  const store = new MemoryStore();
  // Each process of Berth draws names of its own.
  let seed = 0;
  const create = () => {
    seed += 1;
    return new Scheduler(calmOptions({ engine, store, clock, random: new SeededRandom(seed) }));
  };
  const scheduler = create();
  const deployment = readyDeployment('app', { scale: { min: 3, max: 10 }, ...configuration });
  const passing = <T>(promise: Promise<T>) => passingOn(clock, promise);
  const states = (of = scheduler) =>
    of
      .instances(deployment.id)
      .map(({ state }) => state)
      .toSorted();
  await passing(scheduler.start([]));
  await passing(scheduler.verify(deployment));
  return { clock, engine, create, scheduler, deployment, passing, states };
}

const forEver = new AbortController().signal;

it('a deployment that no environment runs keeps none awake, whatever its configuration says', async () => {
  const { clock, scheduler, deployment, states } = await world();
  scheduler.add(deployment);
  await clock.advance(200_000);
  expect(states()).toStrictEqual(['frozen']);
});

it('keeps as many awake as asked, also of one that was added afterwards, until nobody asks any more', async () => {
  const { clock, scheduler, deployment, states } = await world();
  scheduler.setScale(deployment.id, { min: 2, max: 5 });
  scheduler.add(deployment);
  await clock.advance(1_000);
  expect(scheduler.because(deployment.id)).toContain('wants 2 (scale.min)');
  expect(states()).toStrictEqual(['ready', 'ready']);
  await clock.advance(200_000);
  expect(states()).toStrictEqual(['ready', 'ready']);
  scheduler.setScale(deployment.id, undefined);
  await clock.advance(200_000);
  expect(states()).toStrictEqual(['frozen', 'frozen']);
});

it('lets the youngest go when the maximum is lowered, and none that still works', async () => {
  const { clock, scheduler, deployment, passing, states } = await world();
  scheduler.add(deployment);
  scheduler.setScale(deployment.id, { min: 3, max: 3 });
  await clock.advance(1_000);
  const acquired = await passing(scheduler.acquire(deployment.id, forEver));
  expect(acquired.kind).toBe('leased');
  scheduler.setScale(deployment.id, { min: 0, max: 1 });
  await clock.advance(1_000);
  expect(states()).toStrictEqual(['busy']);
});

it('lets those go first that still boot when the maximum is lowered', async () => {
  const { clock, scheduler, deployment, states } = await world({ listensAfterMs: () => 5_000 });
  scheduler.add(deployment);
  scheduler.setScale(deployment.id, { min: 4, max: 4 });
  await clock.advance(1_000);
  expect(states()).toStrictEqual(['booting', 'booting', 'booting', 'ready']);
  scheduler.setScale(deployment.id, { min: 2, max: 2 });
  expect(states().filter((state) => state !== 'draining')).toStrictEqual(['booting', 'ready']);
  await clock.advance(60_000);
  expect(states()).toStrictEqual(['ready', 'ready']);
});

it('replaces one that has run its time although a request never ends on it, as soon as another has left', async () => {
  const limits = { maxConcurrentReqs: 1, durationMs: 300_000, timeoutMs: 60_000 };
  const { clock, scheduler, deployment, passing, states } = await world({}, { limits });
  scheduler.add(deployment);
  const leases: Lease[] = [];
  const acquire = async () => {
    const acquired = await passing(scheduler.acquire(deployment.id, forEver));
    if (acquired.kind === 'leased') leases.push(acquired.lease);
  };
  await acquire();
  await acquire();
  while (!states().includes('draining')) await clock.advance(1_000);
  // The load of two goes on, so that the other one is needed: it waits for its turn.
  await acquire();
  await clock.advance(40_000);
  expect(states()).toStrictEqual(['busy', 'busy', 'draining']);
  const [leaving] = scheduler.instances().filter(({ state }) => state === 'draining');
  for (const lease of leases) if (lease.instanceId === leaving?.id) lease.end('done');
  await clock.advance(10_000);
  expect(states()).toStrictEqual(['busy', 'draining', 'ready']);
  // Its request has had its time, too, when the drain is over.
  await clock.advance(260_000);
  const ran = scheduler.instances().map(({ runningMs }) => runningMs);
  expect(Math.max(...ran)).toBeLessThan(600_000);
});

it('makes instances ready before they are asked for, keeps them until let go, then lets them rest', async () => {
  const { clock, scheduler, deployment, passing, states } = await world();
  scheduler.add(deployment);
  const letGo = await passing(scheduler.prepare(deployment.id, 3, forEver));
  expect(scheduler.because(deployment.id)).toContain('wants 3 (for a release)');
  expect(states()).toStrictEqual(['ready', 'ready', 'ready']);
  await clock.advance(120_000);
  expect(states()).toStrictEqual(['ready', 'ready', 'ready']);
  letGo();
  await clock.advance(120_000);
  expect(states()).toStrictEqual(['frozen', 'frozen', 'frozen']);
});

it('prepares no more than the maximum, and does not wait for what it may not have', async () => {
  const { scheduler, deployment, passing, states } = await world();
  scheduler.add(deployment);
  scheduler.setScale(deployment.id, { min: 0, max: 2 });
  await passing(scheduler.prepare(deployment.id, 9, forEver));
  expect(states()).toStrictEqual(['ready', 'ready']);
});

it('gives the failure of the start when what was to be prepared does not come up', async () => {
  let isBroken = false;
  const { scheduler, deployment, passing, states } = await world({
    exitsOnBoot: () => (isBroken ? { code: 3, outOfMemory: false } : undefined),
  });
  scheduler.add(deployment);
  isBroken = true;
  await expect(passing(scheduler.prepare(deployment.id, 2, forEver))).rejects.toMatchObject({
    code: 'BOOT_FAILED',
    detail: expect.stringContaining('3'),
  });
  expect(states()).toStrictEqual(['ready']);
});

it('gives up preparing when it is told to, or the deployment goes, or was never there', async () => {
  const { scheduler, deployment, passing } = await world({ listensAfterMs: () => 20_000 });
  scheduler.add(deployment);
  const giveUp = new AbortController();
  const preparing = scheduler.prepare(deployment.id, 2, giveUp.signal);
  giveUp.abort();
  await expect(preparing).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  const other = scheduler.prepare(deployment.id, 3, forEver);
  void passing(scheduler.remove(deployment.id));
  await expect(other).rejects.toMatchObject({ code: 'DEPLOYMENT_NOT_FOUND' });
  await expect(scheduler.prepare('nobody', 1, forEver)).rejects.toMatchObject({
    code: 'DEPLOYMENT_NOT_FOUND',
  });
});

it('keeps as many awake after a restart of Berth, once it is told to', async () => {
  const { clock, create, scheduler, deployment, passing, states } = await world();
  scheduler.setScale(deployment.id, { min: 2, max: 5 });
  scheduler.add(deployment);
  await clock.advance(1_000);
  scheduler.stop();
  const next = create();
  await passing(next.start([deployment]));
  next.setScale(deployment.id, { min: 2, max: 5 });
  await clock.advance(200_000);
  expect(states(next)).toStrictEqual(['ready', 'ready']);
  expect(next.instances().every(({ createdAt }) => createdAt < clock.now() - 190_000)).toBe(true);
});

it('takes over as many after a restart as environments allow, and makes none of them anew', async () => {
  const { clock, create, scheduler, deployment, passing, states } = await world(
    {},
    { scale: { min: 0, max: 1 } },
  );
  scheduler.setScale(deployment.id, { min: 3, max: 3 });
  scheduler.add(deployment);
  await clock.advance(1_000);
  const before = scheduler.instances(deployment.id).map(({ id }) => id);
  expect(before).toHaveLength(3);
  scheduler.stop();
  const next = create();
  next.setScale(deployment.id, { min: 3, max: 3 });
  await passing(next.start([deployment]));
  await clock.advance(200_000);
  expect(states(next)).toStrictEqual(['ready', 'ready', 'ready']);
  const after = next.instances(deployment.id).map(({ id }) => id);
  expect(after.toSorted()).toStrictEqual(before.toSorted());
});

it('keeps as many awake from the start on as environments asked for before it, of what is not there yet', async () => {
  const { clock, create, scheduler, deployment, passing, states } = await world();
  scheduler.stop();
  const next = create();
  next.setScale(deployment.id, { min: 2, max: 5 });
  await passing(next.start([deployment]));
  await clock.advance(1_000);
  expect(states(next).filter((state) => state === 'ready')).toHaveLength(2);
});
