/** The pool's rules as properties over random histories, and its cases by name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Plan, plan } from './plan.ts';
import {
  acquit,
  arrive,
  becameReady,
  busyUnits,
  cancel,
  createPool,
  endLease,
  gone,
  join,
  leave,
  type Pool,
  type RequestId,
  rest,
  startFailed,
  suspect,
} from './pool.ts';

const limits = { maxConcurrentReqs: 10, durationMs: 300_000, timeoutMs: 60_000 };
const bounds = { maxWaiting: 1_000, maxWaitMs: 60_000 };

function poolOf(maxConcurrentReqs = 10, max = 10, min = 0): Pool {
  return createPool({ ...limits, maxConcurrentReqs }, { min, max }, bounds);
}

/** What the shell does with a plan, without an engine: creates join as booting. */
function follow(pool: Pool, made: Plan, now: number, nextId: () => string): void {
  for (let count = 0; count < made.create; count += 1) {
    join(pool, { id: nextId(), phase: 'booting', start: 'cold', because: made.because }, now);
  }
}

function counter(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `i${count}`;
  };
}

describe('a burst on a sleeping deployment', () => {
  it('wakes exactly ceil(requests / maxConcurrentReqs) instances', () => {
    const pool = poolOf();
    join(pool, { id: 'frozen', phase: 'frozen', start: 'cold', because: '' }, 0);
    const nextId = counter();
    let created = 0;
    let thawed = 0;
    for (let request = 1; request <= 100; request += 1) {
      arrive(pool, request, 0);
      const made = plan(pool, 0);
      created += made.create;
      thawed += made.thaw.length;
      follow(pool, made, 0, nextId);
    }
    expect({ created, thawed }).toEqual({ created: 9, thawed: 1 });
  });

  it('prefers frozen over parked over new', () => {
    const pool = poolOf(1);
    join(pool, { id: 'parked', phase: 'parked', start: 'parked', because: '' }, 0);
    join(pool, { id: 'frozen', phase: 'frozen', start: 'cold', because: '' }, 0);
    for (const request of [1, 2, 3]) arrive(pool, request, 0);
    const made = plan(pool, 0);
    expect([made.thaw, made.start, made.create]).toEqual([['frozen'], ['parked'], 1]);
  });

  it('tells the first requests how their instance started and later ones that it was warm', () => {
    const pool = poolOf();
    join(pool, { id: 'a', phase: 'frozen', start: 'cold', because: '' }, 0);
    arrive(pool, 1, 5);
    plan(pool, 5);
    becameReady(pool, 'a', 5);
    expect(plan(pool, 5).dispatch).toEqual([{ requestId: 1, instanceId: 'a', start: 'thawed' }]);
    expect(arrive(pool, 2, 5)).toEqual({ kind: 'leased', instanceId: 'a' });
  });
});

describe('filling', () => {
  it('fills the oldest instance first', () => {
    const pool = poolOf(2);
    join(pool, { id: 'old', phase: 'ready', start: 'cold', because: '' }, 0);
    join(pool, { id: 'young', phase: 'ready', start: 'cold', because: '' }, 1);
    const served = [1, 2, 3].map((request) => arrive(pool, request, 2));
    expect(served.map((one) => one.kind === 'leased' && one.instanceId)).toEqual([
      'old',
      'old',
      'young',
    ]);
  });

  it('gives nothing to an instance whose connection broke until it was looked at', () => {
    const pool = poolOf(2, 1);
    join(pool, { id: 'a', phase: 'ready', start: 'cold', because: '' }, 0);
    expect([suspect(pool, 'a'), suspect(pool, 'a')]).toEqual([true, false]);
    expect(arrive(pool, 1, 0).kind).toBe('waiting');
    expect(plan(pool, 0)).toMatchObject({ dispatch: [], create: 0 });
    acquit(pool, 'a');
    expect(plan(pool, 0).dispatch).toHaveLength(1);
  });

  it('lets nobody in before those who wait', () => {
    const pool = poolOf(1, 1);
    join(pool, { id: 'a', phase: 'ready', start: 'cold', because: '' }, 0);
    arrive(pool, 1, 0);
    arrive(pool, 2, 0);
    endLease(pool, 'a', true, 1);
    expect(arrive(pool, 3, 1).kind).toBe('waiting');
    expect(plan(pool, 1).dispatch.map((one) => one.requestId)).toEqual([2]);
  });

  it('refuses those over the bound of the waiting room and drops those who waited too long', () => {
    const pool = createPool(limits, { min: 0, max: 0 }, { maxWaiting: 1, maxWaitMs: 100 });
    expect(arrive(pool, 1, 0).kind).toBe('waiting');
    expect(arrive(pool, 2, 0).kind).toBe('queueFull');
    expect(plan(pool, 99).timedOut).toEqual([]);
    expect(plan(pool, 100).timedOut).toEqual([1]);
  });
});

describe('failures', () => {
  it('give the failure to those who wait and hold the next start back, longer each time', () => {
    const pool = poolOf();
    const waits: number[] = [];
    let now = 0;
    for (let round = 1; round <= 3; round += 1) {
      arrive(pool, round, now);
      follow(pool, plan(pool, now), now, () => `i${round}`);
      startFailed(pool, `i${round}`, 'app', now);
      expect(plan(pool, now).refused).toEqual([round]);
      waits.push(pool.backoffUntil - now);
      now = pool.backoffUntil;
    }
    expect(waits).toEqual([1_000, 2_000, 4_000]);
  });

  it('of the engine are tried again at once, three times', () => {
    const pool = poolOf();
    arrive(pool, 1, 0);
    const nextId = counter();
    for (let round = 0; round < 3; round += 1) {
      follow(pool, plan(pool, 0), 0, nextId);
      startFailed(pool, `i${round + 1}`, 'engine', 0);
      expect(pool.waiting.size).toBe(1);
    }
    follow(pool, plan(pool, 0), 0, nextId);
    startFailed(pool, 'i4', 'engine', 0);
    expect(plan(pool, 0).refused).toEqual([1]);
  });

  it('does not hold back what is made anew because what rested was gone, however many of them', () => {
    const pool = poolOf(1);
    for (let index = 0; index < 6; index += 1)
      join(pool, { id: `p${index}`, phase: 'parked', start: 'parked', because: '' }, 0);
    for (let request = 1; request <= 6; request += 1) arrive(pool, request, 0);
    const { start } = plan(pool, 0);
    expect(start).toHaveLength(6);
    for (const id of start) startFailed(pool, id, 'engine', 0);
    expect(plan(pool, 0)).toMatchObject({ create: 6, refused: [] });
  });

  it('do not keep a frozen instance from being thawed', () => {
    const pool = poolOf(1);
    join(pool, { id: 'frozen', phase: 'frozen', start: 'cold', because: '' }, 0);
    join(pool, { id: 'bad', phase: 'booting', start: 'cold', because: '' }, 0);
    startFailed(pool, 'bad', 'app', 0);
    arrive(pool, 1, 1);
    const made = plan(pool, 1);
    expect([made.thaw, made.refused]).toEqual([['frozen'], []]);
  });

  it('are forgotten when an instance served something before it died', () => {
    const pool = poolOf();
    join(pool, { id: 'a', phase: 'booting', start: 'cold', because: '' }, 0);
    pool.failures = 5;
    becameReady(pool, 'a', 1);
    arrive(pool, 1, 2);
    endLease(pool, 'a', true, 3);
    gone(pool, 'a', 4);
    expect([pool.failures, pool.backoffUntil]).toEqual([0, 0]);
  });
});

/** Histories of a pool: each step is one thing that can happen, on instances and requests picked by number. */
type Step = readonly [what: number, which: number, ms: number];

function replay(
  steps: readonly Step[],
  maxConcurrentReqs: number,
  max: number,
  check: (pool: Pool, made: Plan) => void,
): void {
  const pool = poolOf(maxConcurrentReqs, max);
  const nextId = counter();
  const leases: string[] = [];
  let now = 0;
  let requests: RequestId = 0;
  const arrived: RequestId[] = [];
  const answered = new Set<RequestId>();

  for (const [what, which, ms] of steps) {
    now += ms;
    const all = [...pool.instances.values()];
    const instance = all[which % Math.max(1, all.length)];
    if (what < 6) {
      requests += 1;
      const result = arrive(pool, requests, now);
      if (result.kind === 'leased') leases.push(result.instanceId);
      if (result.kind === 'waiting') arrived.push(requests);
    } else if (what === 6) {
      const [held] = leases.splice(which % Math.max(1, leases.length), 1);
      if (held !== undefined) endLease(pool, held, true, now);
    } else if (what === 7 && instance) becameReady(pool, instance.id, now);
    else if (what === 8 && instance?.phase === 'ready' && instance.inFlight === 0)
      rest(pool, instance.id, '', now);
    else if (what === 9 && instance?.phase === 'booting')
      startFailed(pool, instance.id, which % 2 ? 'app' : 'engine', now);
    else if (what === 10 && instance) {
      gone(pool, instance.id, now);
      for (let index = leases.length - 1; index >= 0; index -= 1) {
        if (leases[index] === instance.id) leases.splice(index, 1);
      }
    } else if (what === 11 && instance?.phase === 'ready') leave(pool, instance.id, '', now);
    else if (what === 12) {
      const waiting = arrived.filter((id) => pool.waiting.has(id));
      const one = waiting[which % Math.max(1, waiting.length)];
      if (one !== undefined) cancel(pool, one);
    }
    const made = plan(pool, now);
    for (const { requestId, instanceId } of made.dispatch) {
      expect(answered.has(requestId)).toBe(false);
      answered.add(requestId);
      leases.push(instanceId);
    }
    follow(pool, made, now, nextId);
    const counted =
      all.length === 0
        ? 0
        : [...pool.instances.values()].reduce((sum, one) => sum + one.inFlight, 0);
    if (all.length > 0) expect(counted).toBe(leases.length);
    check(pool, made);
  }
}

const histories = fc.array(fc.tuple(fc.nat(12), fc.nat(50), fc.constantFrom(0, 0, 1, 20, 3_000)), {
  maxLength: 120,
});

describe('in every history', () => {
  it('there are never more than scale.max, and leases in are leases out', () => {
    fc.assert(
      fc.property(
        histories,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, units, max) => {
          replay(steps, units, max, (pool) => {
            const counted = [...pool.instances.values()].filter(
              (one) => one.phase === 'ready' || one.phase === 'booting',
            );
            expect(counted.length).toBeLessThanOrEqual(max);
            for (const one of pool.instances.values())
              expect(one.inFlight).toBeLessThanOrEqual(units);
          });
        },
      ),
    );
  });

  it('nobody waits while a unit is free, and nobody waits without a boot, the maximum, or a back-off', () => {
    fc.assert(
      fc.property(
        histories,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, units, max) => {
          let now = 0;
          let index = 0;
          replay(steps, units, max, (pool) => {
            now += steps[index]?.[2] ?? 0;
            index += 1;
            if (pool.waiting.size === 0) return;
            const instances = [...pool.instances.values()];
            const ready = instances.filter((one) => one.phase === 'ready');
            expect(busyUnits(pool)).toBe(ready.length * units);
            const booting = instances.filter((one) => one.phase === 'booting').length;
            expect(booting > 0 || ready.length >= max || now < pool.backoffUntil).toBe(true);
          });
        },
      ),
    );
  });

  it('asking again right after following a plan gives an empty plan', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 5 }), (steps, units) => {
        let now = 0;
        let index = 0;
        replay(steps, units, 6, (pool) => {
          now += steps[index]?.[2] ?? 0;
          index += 1;
          const again = plan(pool, now);
          expect([again.dispatch, again.thaw, again.start, again.create, again.refused]).toEqual([
            [],
            [],
            [],
            0,
            [],
          ]);
        });
      }),
    );
  });

  it('more load never wants fewer instances', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(200),
        fc.integer({ min: 1, max: 20 }),
        (less, extra, units) => {
          const wanted = (load: number) => {
            const pool = poolOf(units, 50);
            for (let request = 1; request <= load; request += 1) arrive(pool, request, 0);
            return plan(pool, 0).create;
          };
          expect(wanted(less + extra)).toBeGreaterThanOrEqual(wanted(less));
        },
      ),
    );
  });
});
