/** Quotas of teams on virtual time with the memory engine: never more at once than the plan says, and nobody else notices. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import type { Configuration, Deployment } from '../core/model.ts';
import { PLANS, Quotas } from '../core/quota.ts';
import { CALM, createMemoryEngine, type MemoryKnobs } from '../engines/memory/engine.ts';
import type { Acquired, Lease } from '../ports/fleet.ts';
import { calmOptions, readyDeployment } from './fixtures/world.ts';
import { Scheduler } from './scheduler.ts';

const RUNNING: ReadonlySet<string> = new Set(['booting', 'ready', 'busy', 'draining']);

class World {
  readonly clock = new VirtualClock();
  readonly quotas = new Quotas('default');
  readonly scheduler: Scheduler;
  readonly deployments: readonly Deployment[];

  constructor(projects: readonly string[], configuration: Partial<Configuration> = {}) {
    const { clock } = this;
    const knobs: MemoryKnobs = { ...CALM, delayMs: (verb) => (verb === 'list' ? 0 : 1) };
    const engine = createMemoryEngine({ clock, knobs });
    this.scheduler = new Scheduler(calmOptions({ engine, clock, quotas: this.quotas }));
    this.deployments = projects.map((project) =>
      readyDeployment(project, {
        limits: { maxConcurrentReqs: 2, durationMs: 300_000, timeoutMs: 5_000 },
        ...configuration,
      }),
    );
    // Blue has the first two projects, everybody else the default team.
    for (const project of projects.slice(0, 2)) this.quotas.assign(project, 'blue');
    this.quotas.setPlan('blue', 'oss', PLANS['oss'] ?? {});
  }

  /** Held back until time passes. */
  ask(project: string, signal = new AbortController().signal): Promise<Acquired> {
    return this.scheduler.acquire(`${project}-00000000`, signal);
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 10) {
      await this.clock.advance(passed === 0 ? 0 : 10);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  }

  running(...projects: readonly string[]): number {
    return this.scheduler
      .instances()
      .filter(({ deploymentId }) => projects.some((one) => deploymentId === `${one}-00000000`))
      .filter(({ state }) => RUNNING.has(state)).length;
  }
}

async function leases(asked: readonly Promise<Acquired>[]): Promise<readonly Lease[]> {
  return (await Promise.all(asked)).flatMap((one) => (one.kind === 'leased' ? [one.lease] : []));
}

function codeOf(acquired: Acquired): string {
  return acquired.kind === 'refused' ? acquired.error.code : acquired.kind;
}

describe('the quota of instances', () => {
  it('lets three instances serve all who come, and starts no fourth', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    const asked = Array.from({ length: 20 }, () => world.ask('a'));
    await world.pass(50);
    expect(world.running('a')).toBe(3);
    expect(world.quotas.team('blue').instances).toBe(3);
    expect(world.scheduler.because('a-00000000')).toContain('the plan oss of team blue allows 3');
    // Each lease that ends lets the next one in.
    const first = (await leases(asked.slice(0, 6))).toReversed();
    for (const lease of first) lease.end('done');
    for (const lease of await leases(asked.slice(6, 12))) lease.end('done');
    for (const lease of await leases(asked.slice(12, 18))) lease.end('done');
    expect(await leases(asked.slice(18))).toHaveLength(2);
    expect(world.running('a')).toBe(3);
  });

  it('refuses a deployment that would need the fourth, and serves it once one has come to rest', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    const asked = Array.from({ length: 6 }, () => world.ask('a'));
    await world.pass(50);
    const refused = await world.ask('b');
    expect(codeOf(refused)).toBe('QUOTA_INSTANCES');
    expect(refused.kind === 'refused' && refused.error.retryAfterSeconds).toBeGreaterThan(0);
    const others = world.ask('c');
    await world.pass(50);
    expect(codeOf(await others)).toBe('leased');
    for (const lease of (await leases(asked)).slice(4)) lease.end('done');
    const again = world.ask('b');
    await world.pass(50);
    // An idle one of the other deployment gave way; it did not have to wait for its timeout.
    expect(codeOf(await again)).toBe('leased');
    expect(world.running('a', 'b')).toBe(3);
  });

  it('counts none that is frozen', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    const asked = world.ask('a');
    await world.pass(50);
    for (const lease of await leases([asked])) lease.end('done');
    await world.pass(6_000);
    expect(world.scheduler.instances('a-00000000')[0]?.state).toBe('frozen');
    expect(world.quotas.team('blue')).toMatchObject({ instances: 0, requests: 0 });
  });

  it('holds a smaller plan back only from what begins afterwards', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    const asked = Array.from({ length: 6 }, () => world.ask('a'));
    await world.pass(50);
    world.quotas.setPlan('blue', 'one', { instances: 1 });
    expect(await leases(asked)).toHaveLength(6);
    expect(codeOf(await world.ask('b'))).toBe('QUOTA_INSTANCES');
    world.quotas.setPlan('blue', 'unlimited', {});
    const again = world.ask('b');
    await world.pass(50);
    expect(codeOf(await again)).toBe('leased');
  });

  it('holds no release back: for a moment both sides run, and count', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    const asked = Array.from({ length: 6 }, () => world.ask('a'));
    await world.pass(50);
    const ready = world.scheduler.prepare('b-00000000', 2, new AbortController().signal);
    await world.pass(50);
    const letGo = await ready;
    expect(world.running('a', 'b')).toBe(5);
    expect(world.quotas.team('blue').instances).toBe(5);
    letGo();
    for (const lease of await leases(asked)) lease.end('done');
    await world.pass(6_000);
    expect(world.quotas.team('blue').instances).toBe(0);
  });

  it('keeps no more awake for an environment than the plan has', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    world.scheduler.setScale('a-00000000', { min: 8, max: 10 });
    await world.pass(50);
    expect(world.running('a')).toBe(3);
    // Those that are kept awake give no room: otherwise they would be started again at once.
    expect(codeOf(await world.ask('b'))).toBe('QUOTA_INSTANCES');
  });

  it('recycles at the bound without ever running one too many', async () => {
    const world = new World(['a', 'b', 'c'], {
      limits: { maxConcurrentReqs: 2, durationMs: 2_000, timeoutMs: 60_000 },
    });
    await world.scheduler.start(world.deployments);
    let most = 0;
    for (let round = 0; round < 60; round += 1) {
      const asked = Array.from({ length: 6 }, () => world.ask('a'));
      await world.pass(60);
      const held = await leases(asked.slice(0, 6));
      most = Math.max(most, world.running('a', 'b'));
      for (const lease of held) lease.end('done');
      await world.pass(40);
      most = Math.max(most, world.running('a', 'b'));
    }
    expect(most).toBe(3);
  });
});

describe('the quota of requests', () => {
  it('refuses the 501st at once, and admits another as soon as one is over', async () => {
    const world = new World(['a', 'b', 'c'], {
      limits: { maxConcurrentReqs: 250, durationMs: 300_000, timeoutMs: 60_000 },
    });
    await world.scheduler.start(world.deployments);
    const asked = Array.from({ length: 500 }, (_, index) => world.ask(index % 2 ? 'a' : 'b'));
    // Before any time has passed: all five hundred are waiting.
    expect(codeOf(await world.ask('a'))).toBe('QUOTA_REQUESTS');
    await world.pass(50);
    expect(codeOf(await world.ask('b'))).toBe('QUOTA_REQUESTS');
    const other = world.ask('c');
    await world.pass(50);
    expect(codeOf(await other)).toBe('leased');
    const held = await leases(asked);
    expect(held).toHaveLength(500);
    held[0]?.end('done');
    held[0]?.end('done');
    expect(codeOf(await world.ask('b'))).toBe('leased');
    expect(codeOf(await world.ask('b'))).toBe('QUOTA_REQUESTS');
  });

  it('counts those that go away while they wait no more', async () => {
    const world = new World(['a', 'b', 'c']);
    await world.scheduler.start(world.deployments);
    const gone = new AbortController();
    const asked = Array.from({ length: 400 }, () => world.ask('a', gone.signal));
    expect(world.quotas.team('blue').requests).toBe(400);
    gone.abort();
    await Promise.all(asked);
    expect(world.quotas.team('blue').requests).toBe(0);
  });
});

describe('a team on a plan', () => {
  const event = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        ask: fc.constantFrom('a', 'b', 'c'),
        times: fc.integer({ min: 1, max: 8 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ end: fc.nat(20), how: fc.constantFrom('done', 'died') }) },
    { weight: 2, arbitrary: fc.record({ pass: fc.nat(8_000) }) },
    { weight: 1, arbitrary: fc.record({ cancel: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ plan: fc.constantFrom('oss', 'pro') }) },
  );

  it('never has more at once than the plan says, whatever happens, and nothing when all is over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const world = new World(['a', 'b', 'c'], {
          limits: { maxConcurrentReqs: 2, durationMs: 3_000, timeoutMs: 1_000 },
        });
        await world.scheduler.start(world.deployments);
        world.quotas.setPlan('blue', 'small', { instances: 3, requests: 12 });
        const held: Lease[] = [];
        const off: AbortController[] = [];
        let bound = 3;
        const check = () => {
          const use = world.quotas.team('blue');
          expect(use.instances).toBe(world.running('a', 'b'));
          expect(use.instances).toBeLessThanOrEqual(bound);
          expect(use.requests).toBeLessThanOrEqual(12);
          expect(use.requests).toBeGreaterThanOrEqual(0);
        };
        for (const one of events) {
          for (let time = 0; 'ask' in one && time < one.times; time += 1) {
            const stop = new AbortController();
            off.push(stop);
            void world.ask(one.ask, stop.signal).then((acquired) => {
              if (acquired.kind === 'leased') held.push(acquired.lease);
            });
          }
          if ('end' in one) held.splice(one.end % (held.length || 1), 1)[0]?.end(one.how);
          else if ('pass' in one) await world.pass(one.pass);
          else if ('cancel' in one) off[one.cancel % (off.length || 1)]?.abort();
          else if ('plan' in one) {
            // Growing and shrinking again would leave more running than the smaller one starts: only growing.
            bound = one.plan === 'pro' ? 10 : bound;
            world.quotas.setPlan('blue', 'other', { instances: bound, requests: 12 });
          }
          check();
        }
        for (const stop of off) stop.abort();
        for (let round = 0; round < 30; round += 1) {
          for (const lease of held.splice(0)) lease.end('done');
          await world.pass(1_000);
        }
        check();
        expect(world.quotas.team('blue')).toMatchObject({ instances: 0, requests: 0 });
      }),
      { numRuns: 40 },
    );
  });
});
