/** The scheduler on virtual time with the memory engine: waking, resting, recycling, failing, adopting. */
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import type { BerthError } from '../core/errors.ts';
import type { Configuration, Deployment } from '../core/model.ts';
import {
  CALM,
  createMemoryEngine,
  type MemoryApp,
  type MemoryEngine,
  type MemoryKnobs,
} from '../engines/memory/engine.ts';
import type { Acquired, Lease } from '../ports/fleet.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { calmOptions, passing as passingOn, readyDeployment } from './fixtures/world.ts';
import { Scheduler } from './scheduler.ts';

const MIB = 1024 * 1024;

interface Setting {
  readonly configuration?: Partial<Configuration>;
  readonly knobs?: Partial<MemoryKnobs>;
  readonly memoryBudgetBytes?: number;
  readonly run?: () => Promise<MemoryApp>;
  readonly healthStatus?: () => number | undefined;
  readonly availableBytes?: () => number;
  readonly hasSwap?: boolean;
}

let clock: VirtualClock;
let engine: MemoryEngine;
let store: MemoryStore;
let scheduler: Scheduler;
let deployment: Deployment;
let unrouted: string[];

function createScheduler(setting: Setting): Scheduler {
  const { healthStatus = () => 200, availableBytes = () => 10_000 * MIB } = setting;
  return new Scheduler(
    calmOptions({
      engine,
      store,
      clock,
      probe: { status: () => Promise.resolve(healthStatus()) },
      hostMemory: {
        observe: () =>
          Promise.resolve({
            availableBytes: availableBytes(),
            hasSwap: setting.hasSwap ?? false,
          }),
      },
      reserveBytes: 500 * MIB,
      memoryBudgetBytes: setting.memoryBudgetBytes ?? 1_000 * MIB,
      onUnroute: (id) => unrouted.push(id),
    }),
  );
}

function world(setting: Setting = {}): void {
  clock = new VirtualClock();
  const knobs: MemoryKnobs = {
    ...CALM,
    delayMs: (verb) => (verb === 'thaw' ? 0 : 1),
    ...setting.knobs,
  };
  engine = createMemoryEngine({ clock, knobs, ...(setting.run ? { run: setting.run } : {}) });
  store = new MemoryStore();
  unrouted = [];
  deployment = readyDeployment('app', setting.configuration);
  scheduler = createScheduler(setting);
}

const passing = <T>(promise: Promise<T>, ms?: number) => passingOn(clock, promise, ms);

async function deploy(): Promise<void> {
  await passing(scheduler.start([]));
  await passing(scheduler.verify(deployment));
  scheduler.add(deployment);
  await clock.advance(0);
}

function ask(signal = new AbortController().signal): Promise<Acquired> {
  return scheduler.acquire(deployment.id, signal);
}

function leaseOf(acquired: Acquired): Lease {
  if (acquired.kind !== 'leased') throw new Error(`${acquired.kind}, not leased`);
  return acquired.lease;
}

function errorOf(acquired: Acquired): BerthError {
  if (acquired.kind !== 'refused') throw new Error(`${acquired.kind}, not refused`);
  return acquired.error;
}

const states = () => scheduler.instances().map((one) => one.state);

beforeEach(() => world());

describe('an instance that says that it is busy', () => {
  const only = () => scheduler.instances()[0]!;

  it('stays awake until then and for limits.timeout, says so, and rests once', async () => {
    await deploy();
    const lease = leaseOf(await passing(ask()));
    const { timeoutMs } = deployment.configuration.limits;
    const said = await passing(scheduler.sayBusy(lease.instanceId, '2m'));
    const until = clock.now() + 120_000;
    expect(said).toMatchObject({ kind: 'granted', isCut: false });
    lease.end('done');
    expect(only()).toMatchObject({ state: 'busy', inFlight: 0 });
    expect(only().busyUntil).toBeGreaterThan(until - 1_000);
    expect(only().because).toMatch(/^busy for 1\d\d s more, as it said itself; /);
    await clock.advance(120_000 - 2_000);
    expect(states()).toEqual(['busy']);
    await clock.advance(timeoutMs);
    expect(states()).toEqual(['ready']);
    expect(only()).not.toHaveProperty('busyUntil');
    await clock.advance(3_000);
    expect(states()).toEqual(['frozen']);
  });

  it('rests limits.timeout after it says 0', async () => {
    await deploy();
    const lease = leaseOf(await passing(ask()));
    await passing(scheduler.sayBusy(lease.instanceId, '5m'));
    lease.end('done');
    await clock.advance(100_000);
    expect(states()).toEqual(['busy']);
    await passing(scheduler.sayBusy(lease.instanceId, '0'));
    expect(states()).toEqual(['ready']);
    await clock.advance(deployment.configuration.limits.timeoutMs + 100);
    expect(states()).toEqual(['frozen']);
  });

  it('is still busy for the next Berth, on the same word and no longer', async () => {
    await deploy();
    const lease = leaseOf(await passing(ask()));
    await passing(scheduler.sayBusy(lease.instanceId, '3m'));
    lease.end('done');
    const { busyUntil } = only();
    scheduler.stop();
    scheduler = createScheduler({});
    await passing(scheduler.start([deployment]));
    expect(only()).toMatchObject({ state: 'busy', busyUntil });
    await clock.advance(100_000);
    expect(states()).toEqual(['busy']);
    await passing(scheduler.sayBusy(only().id, '0'));
    expect(states()).toEqual(['ready']);
    await passing(scheduler.sayBusy(only().id, '80s'));
    await clock.advance(79_000);
    expect(states()).toEqual(['busy']);
    await clock.advance(2_000 + deployment.configuration.limits.timeoutMs);
    expect(states()).toEqual(['frozen']);
  });

  it('in the moment in which it is frozen is thawed', async () => {
    await deploy();
    expect(states()).toEqual(['frozen']);
    await passing(scheduler.sayBusy(only().id, '1m'));
    expect(states()).toEqual(['busy']);
  });

  it('in words that nobody understands, or is unknown, changes nothing', async () => {
    await deploy();
    expect(await scheduler.sayBusy(only().id, 'soon')).toEqual({ kind: 'unreadable' });
    expect(await scheduler.sayBusy(`${deployment.id}.nobody`, '1m')).toEqual({ kind: 'unknown' });
    expect(await scheduler.sayBusy('nothing.nobody', '1m')).toEqual({ kind: 'unknown' });
    expect(states()).toEqual(['frozen']);
  });
});

describe('a request that may not wake anything', () => {
  const askSoftly = () => scheduler.acquire(deployment.id, new AbortController().signal, false);

  it('is refused at once while all sleep, thaws and starts nothing, and is served by who is awake', async () => {
    await deploy();
    expect(errorOf(await askSoftly())).toMatchObject({ code: 'ASLEEP', retryAfterSeconds: 60 });
    await clock.advance(1_000);
    expect(states()).toEqual(['frozen']);
    const lease = leaseOf(await passing(ask()));
    const soft = leaseOf(await askSoftly());
    expect(soft.instanceId).toBe(lease.instanceId);
    // The rest of its units too: then it would take another instance.
    for (let unit = 2; unit < 10; unit += 1) leaseOf(await askSoftly());
    expect(errorOf(await askSoftly()).code).toBe('ASLEEP');
    await clock.advance(1_000);
    expect(states()).toEqual(['busy']);
  });
});

describe('a deployment that was just verified', () => {
  it('rests frozen, and its first request thaws it', async () => {
    await deploy();
    expect(states()).toEqual(['frozen']);
    const lease = leaseOf(await passing(ask()));
    expect(lease.start).toBe('thawed');
    lease.end('done');
    expect(leaseOf(await passing(ask())).start).toBe('warm');
  });

  it('is stopped to parked with idle: stop, and stays ready with idle: run', async () => {
    world({ configuration: { idle: 'stop' } });
    await deploy();
    await clock.advance(1_000);
    expect(states()).toEqual(['parked']);
    expect(leaseOf(await passing(ask())).start).toBe('parked');
    world({ configuration: { idle: 'run' } });
    await deploy();
    await clock.advance(200_000);
    expect(states()).toEqual(['ready']);
  });

  it('has failed when its health path does not answer well, and leaves nothing', async () => {
    world({ configuration: { healthPath: '/up' }, healthStatus: () => 500 });
    await expect(deploy()).rejects.toMatchObject({ code: 'HEALTH_FAILED', log: ['last words'] });
    expect([await passing(engine.list()), await store.ledger()]).toEqual([[], []]);
  });
});

describe('a hundred requests at once', () => {
  it('get exactly ten instances, and all come to rest after limits.timeout', async () => {
    await deploy();
    const asked = Array.from({ length: 100 }, () => ask());
    const leases = (await passing(Promise.all(asked))).map(leaseOf);
    expect(states()).toEqual(Array.from({ length: 10 }, () => 'busy'));
    for (const lease of leases) lease.end('done');
    await clock.advance(60_000);
    expect(new Set(states())).toEqual(new Set(['frozen']));
    expect(unrouted).toHaveLength(11);
  });

  it('never boot more at once than the cap, over all deployments', async () => {
    let booting = 0;
    let most = 0;
    world({
      knobs: {
        listensAfterMs: () => 50,
        delayMs: (verb) => {
          if (verb === 'start') booting += 1;
          most = Math.max(most, booting);
          return 1;
        },
      },
      run: () => {
        void clock.sleep(50).then(() => {
          booting -= 1;
        });
        return Promise.resolve({
          host: '127.0.0.1',
          ports: [{ port: 80, loopbackOnly: false }],
          freeze: () => {},
          thaw: () => {},
          close: () => Promise.resolve(),
        });
      },
    });
    await deploy();
    await passing(Promise.all(Array.from({ length: 100 }, () => ask())), 1);
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe('the memory budget', () => {
  it('steps frozen down to parked, and parked to the image alone, and requests still succeed', async () => {
    world({ memoryBudgetBytes: 5 * MIB });
    await deploy();
    await clock.advance(1_000);
    expect(states()).toEqual(['parked']);
    expect(leaseOf(await passing(ask())).start).toBe('parked');

    world({ memoryBudgetBytes: 1 * MIB });
    await deploy();
    await clock.advance(1_000);
    expect(states()).toEqual([]);
    expect(leaseOf(await passing(ask())).start).toBe('cold');
  });
});

describe('the host under memory pressure', () => {
  /** Memory that is left of `total` MiB besides what the instances hold. */
  const leftOf = (total: number) => {
    const held = { frozen: 8, reclaimed: 8 / 3, parked: 4 } as Readonly<Record<string, number>>;
    return states().reduce((left, state) => left - (held[state] ?? 8) * MIB, total * MIB);
  };

  it('reclaims what rests where it has swap, and a request still thaws it', async () => {
    let total = 10_000;
    world({ availableBytes: () => leftOf(total), hasSwap: true });
    await deploy();
    total = 504;
    await clock.advance(20_000);
    expect(states()).toEqual(['reclaimed']);
    expect(leaseOf(await passing(ask())).start).toBe('thawed');
    expect(states()).toEqual(['busy']);
  });

  it('parks what rests without swap, and never touches what is busy', async () => {
    let total = 10_000;
    world({ availableBytes: () => leftOf(total) });
    await deploy();
    const lease = leaseOf(await passing(ask()));
    total = 504;
    await clock.advance(20_000);
    expect(states()).toEqual(['busy']);
    lease.end('done');
    await clock.advance(70_000);
    expect(states()).toEqual(['parked']);
  });
});

describe('recycling', () => {
  it('starts the fresh one first and lets the old one finish its request', async () => {
    world({
      configuration: { limits: { maxConcurrentReqs: 1, durationMs: 10_000, timeoutMs: 60_000 } },
    });
    await deploy();
    const old = leaseOf(await passing(ask()));
    await clock.advance(10_100);
    expect(states()).toEqual(['draining', 'ready']);
    const fresh = leaseOf(await passing(ask()));
    expect(fresh.instanceId).not.toBe(old.instanceId);
    expect(old.lost.aborted).toBe(false);
    old.end('done');
    await clock.advance(100);
    expect(states()).toEqual(['busy']);
  });

  it('ends a request that outlasts limits.duration of the drain', async () => {
    world({
      configuration: { limits: { maxConcurrentReqs: 1, durationMs: 10_000, timeoutMs: 60_000 } },
    });
    await deploy();
    const endless = leaseOf(await passing(ask()));
    await clock.advance(20_500);
    expect(endless.lost.aborted).toBe(true);
  });
});

describe('an app that fails to boot', () => {
  it('gives the exit code and the last log lines, then backs off, then is tried again', async () => {
    let isBroken = false;
    world({
      knobs: { exitsOnBoot: () => (isBroken ? { code: 3, outOfMemory: false } : undefined) },
      memoryBudgetBytes: 0,
    });
    await deploy();
    await clock.advance(1_000);
    isBroken = true;
    const error = errorOf(await passing(ask(), 1));
    expect([error.code, error.log]).toEqual(['BOOT_FAILED', ['last words']]);
    expect(error.detail).toContain('code 3');
    expect(errorOf(await passing(ask(), 1)).retryAfterSeconds).toBe(1);
    isBroken = false;
    await clock.advance(1_000);
    expect(leaseOf(await passing(ask())).start).toBe('cold');
  });

  it('is told that it listens on loopback only', async () => {
    world({
      run: () =>
        Promise.resolve({
          host: '127.0.0.1',
          ports: [{ port: 3000, loopbackOnly: true }],
          freeze: () => {},
          thaw: () => {},
          close: () => Promise.resolve(),
        }),
    });
    await expect(deploy()).rejects.toMatchObject({
      code: 'NO_PORT',
      detail: expect.stringContaining('127.0.0.1:3000'),
    });
  });

  it('is told that it never listened', async () => {
    world({ knobs: { listensAfterMs: () => undefined } });
    await expect(deploy()).rejects.toMatchObject({ code: 'NO_PORT' });
  });

  it('is booted again when somebody killed it meanwhile, and told so when it goes on', async () => {
    let kills = 2;
    const killed = () => (kills-- > 0 ? { code: 137, outOfMemory: false } : undefined);
    world({ knobs: { exitsOnBoot: killed } });
    await deploy();
    expect(leaseOf(await passing(ask())).start).toBe('thawed');
    kills = 100;
    world({ knobs: { exitsOnBoot: killed } });
    await expect(deploy()).rejects.toMatchObject({ code: 'BOOT_FAILED' });
  });

  it('is told that its slot is too small', async () => {
    world({ knobs: { exitsOnBoot: () => ({ code: 137, outOfMemory: true }) } });
    await expect(deploy()).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      detail: expect.stringContaining('512 MiB'),
    });
  });
});

describe('a health path', () => {
  it('that goes bad takes a running instance out, and another one serves', async () => {
    let status: number | undefined = 200;
    world({ configuration: { healthPath: '/up' }, healthStatus: () => status });
    await deploy();
    const first = leaseOf(await passing(ask()));
    status = 500;
    await clock.advance(31_000);
    expect(states()).toEqual(['draining']);
    status = 200;
    expect(leaseOf(await passing(ask())).instanceId).not.toBe(first.instanceId);
    first.end('done');
    await clock.advance(1_000);
    expect(states()).toEqual(['busy']);
  });

  it('that is bad once or twice is forgiven, and one that rests is not asked', async () => {
    let status: number | undefined = 200;
    let asked = 0;
    world({
      configuration: { healthPath: '/up' },
      healthStatus: () => {
        asked += 1;
        return status;
      },
    });
    await deploy();
    const before = asked;
    await clock.advance(100_000);
    expect(asked).toBe(before);
    const lease = leaseOf(await passing(ask()));
    status = 500;
    await clock.advance(21_000);
    status = 200;
    await clock.advance(40_000);
    expect(states()).toEqual(['busy']);
    lease.end('done');
  });
});

describe('healing', () => {
  it('replaces an instance that died while frozen, unseen by anyone', async () => {
    await deploy();
    const [frozen] = scheduler.instances();
    await engine.vanish(frozen?.id ?? '');
    expect(leaseOf(await passing(ask())).start).toBe('cold');
  });

  it('starts a colder one when a thaw is refused', async () => {
    let refuses = false;
    world({ knobs: { refuses: (verb) => refuses && verb === 'thaw' } });
    await deploy();
    refuses = true;
    expect(leaseOf(await passing(ask())).start).toBe('cold');
  });

  it('takes an instance that refuses connections out of routing at once', async () => {
    await deploy();
    const first = leaseOf(await passing(ask()));
    first.end('refused');
    const second = leaseOf(await passing(ask()));
    expect(second.instanceId).not.toBe(first.instanceId);
  });

  it('tells the requests of an instance that died', async () => {
    await deploy();
    const lease = leaseOf(await passing(ask()));
    await engine.crash(lease.instanceId, { code: 137, outOfMemory: false });
    expect(lease.lost.aborted).toBe(true);
    lease.end('died');
    expect(leaseOf(await passing(ask())).instanceId).not.toBe(lease.instanceId);
  });
});

describe('a restart of Berth', () => {
  it('takes over what runs, rests or is parked, and removes what nobody knows', async () => {
    await deploy();
    const asked = Array.from({ length: 30 }, () => ask());
    await passing(Promise.all(asked));
    const before = scheduler.instances().map((one) => one.id);
    scheduler.stop();
    engine.plant(
      {
        id: 'other-00000000.abcdef',
        deploymentId: 'other-00000000',
        project: 'other',
        imageId: 'any',
        slot: deployment.configuration.slot,
        env: {},
        logFile: '',
      },
      'parked',
    );
    scheduler = createScheduler({});
    await passing(scheduler.start([deployment]));
    expect(scheduler.instances().map((one) => one.id)).toEqual(before);
    expect((await passing(engine.list())).map((one) => one.id)).toEqual(before);
    expect(leaseOf(await passing(ask())).start).toBe('warm');
  });
});

describe('a request that is given up', () => {
  it('leaves the waiting room at once', async () => {
    world({ knobs: { listensAfterMs: () => 5_000 }, memoryBudgetBytes: 0 });
    await deploy();
    const abort = new AbortController();
    const asked = ask(abort.signal);
    expect(scheduler.waiting()).toBe(1);
    abort.abort();
    expect((await asked).kind).toBe('cancelled');
    expect(scheduler.waiting()).toBe(0);
  });
});

describe('removing a deployment', () => {
  it('waits for a spare that is just being parked, and takes it along', async () => {
    world({
      configuration: { idle: 'stop' },
      knobs: { delayMs: (verb) => (verb === 'park' ? 200 : 1) },
    });
    await deploy();
    const lease = leaseOf(await passing(ask()));
    lease.end('done');
    await clock.advance(60_010);
    expect(states()).toEqual([]);
    await passing(scheduler.remove(deployment.id));
    expect([await passing(engine.list()), await store.ledger()]).toEqual([[], []]);
  });

  it('waits for its requests, then leaves no container and no ledger entry', async () => {
    await deploy();
    const lease = leaseOf(await passing(ask()));
    const removed = scheduler.remove(deployment.id);
    await clock.advance(1_000);
    expect(errorOf(await ask()).code).toBe('NOT_FOUND');
    expect(lease.lost.aborted).toBe(false);
    lease.end('done');
    await passing(removed);
    expect([await passing(engine.list()), await store.ledger()]).toEqual([[], []]);
  });
});
