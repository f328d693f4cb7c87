/** Coming to rest, stepping down under the memory budget, recycling and draining. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';
import { drainsDue } from './drain.ts';
import { budgetUnderPressure, demotionsDue, type Resting, restsDue } from './idle.ts';
import { nextPermit } from './permit.ts';
import { arrive, createPool, endLease, hang, join, leave, lookedAt, type Pool } from './pool.ts';
import { recyclesDue } from './recycle.ts';

const limits = { maxConcurrentReqs: 2, durationMs: 100_000, timeoutMs: 60_000 };
const MIB = 1024 * 1024;

function poolWith(ready: number, min = 0): Pool {
  const pool = createPool(limits, { min, max: 10 }, { maxWaiting: 10, maxWaitMs: 1_000 });
  for (let index = 0; index < ready; index += 1) {
    join(pool, { id: `i${index}`, phase: 'ready', start: 'cold', because: '' }, 0);
  }
  return pool;
}

describe('rest', () => {
  it('comes after limits.timeout without a lease, and not a millisecond before', () => {
    const pool = poolWith(1);
    expect(restsDue(pool, 'freeze', 59_999)).toEqual({ rests: [], lookAgainAt: 60_000 });
    expect(restsDue(pool, 'freeze', 60_000).rests.map((one) => one.how)).toEqual(['freeze']);
  });

  it('never comes to one that holds a lease, however long', () => {
    const pool = poolWith(1);
    arrive(pool, 1, 0);
    expect(restsDue(pool, 'freeze', 10_000_000)).toEqual({ rests: [], lookAgainAt: undefined });
    endLease(pool, 'i0', true, 10_000_000);
    expect(restsDue(pool, 'freeze', 10_060_000).rests).toHaveLength(1);
  });

  it('leaves the oldest scale.min running', () => {
    const rests = restsDue(poolWith(3, 1), 'freeze', 60_000).rests;
    expect(rests.map((one) => one.instanceId)).toEqual(['i2', 'i1']);
  });
});

describe('the memory budget', () => {
  const frozen = (id: string, mebibytes: number, lastUsedAt: number, isExtra = false): Resting => ({
    instanceId: id,
    deploymentId: id,
    tier: 'frozen',
    heldBytes: mebibytes * MIB,
    lastUsedAt,
    isExtra,
  });

  it('asks nothing while all fit', () => {
    expect(demotionsDue([frozen('a', 10, 1), frozen('b', 10, 2)], 20 * MIB, false)).toEqual([]);
  });

  it('takes the least recently used first, and only as many as needed', () => {
    const due = demotionsDue(
      [frozen('new', 10, 9), frozen('old', 10, 1), frozen('mid', 10, 5)],
      25 * MIB,
      false,
    );
    expect(due.map((one) => [one.instanceId, one.to])).toEqual([['old', 'parked']]);
  });

  it('takes spares before any deployment loses its last one', () => {
    const due = demotionsDue(
      [frozen('last', 10, 1), frozen('spare', 10, 9, true)],
      15 * MIB,
      false,
    );
    expect(due.map((one) => [one.instanceId, one.to])).toEqual([['spare', 'parked']]);
  });

  it('goes down to the image alone when nothing fits', () => {
    const due = demotionsDue([frozen('a', 10, 1), frozen('b', 10, 2)], 0, false);
    expect(due.map((one) => one.to)).toEqual(['gone', 'gone']);
  });

  it('gives up pages first where they have somewhere to go, spares before last ones', () => {
    const resting = [frozen('last', 10, 1), frozen('spare', 10, 9, true)];
    const to = (budget: number) =>
      demotionsDue(resting, budget * MIB, true).map((one) => [one.instanceId, one.to]);
    expect(to(15)).toEqual([['spare', 'reclaimed']]);
    expect(to(8)).toEqual([
      ['last', 'reclaimed'],
      ['spare', 'reclaimed'],
    ]);
    expect(to(5)).toEqual([
      ['last', 'reclaimed'],
      ['spare', 'gone'],
    ]);
  });

  it('shrinks by what the host is short of, and by nothing while it is not', () => {
    const pressure = (availableBytes: number) =>
      budgetUnderPressure({ budgetBytes: 100, heldBytes: 80, availableBytes, reserveBytes: 50 });
    expect([60, 50, 40, 0].map(pressure)).toEqual([100, 100, 70, 30]);
  });

  it('is held whenever stepping down can hold it', () => {
    const one = fc.record({
      instanceId: fc.uuid(),
      deploymentId: fc.constant('d'),
      tier: fc.constantFrom('frozen' as const, 'parked' as const),
      heldBytes: fc.integer({ min: 0, max: 200 * MIB }),
      lastUsedAt: fc.nat(1_000),
      isExtra: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(one, { selector: (entry) => entry.instanceId }),
        fc.nat(500 * MIB),
        (resting, budget) => {
          const due = new Map(
            demotionsDue(resting, budget, false).map((demotion) => [
              demotion.instanceId,
              demotion.to,
            ]),
          );
          const after = resting.reduce((sum, entry) => {
            const to = due.get(entry.instanceId);
            if (to === 'gone') return sum;
            return sum + (to === 'parked' ? Math.min(entry.heldBytes, 4 * MIB) : entry.heldBytes);
          }, 0);
          expect(after).toBeLessThanOrEqual(budget);
          for (const entry of resting) {
            if (entry.tier === 'parked') expect(due.get(entry.instanceId)).not.toBe('parked');
          }
        },
      ),
    );
  });
});

describe('recycling', () => {
  it('replaces a needed instance first and lets a spare one simply leave', () => {
    const pool = poolWith(1);
    arrive(pool, 1, 0);
    expect(recyclesDue(pool, 100_000).recycles.map((one) => one.how)).toEqual(['replace']);
    const two = poolWith(2);
    expect(recyclesDue(two, 100_000).recycles.map((one) => one.how)).toEqual(['leave', 'replace']);
  });

  it('comes up to a tenth of limits.duration early, so that instances of one burst do not leave together', () => {
    const pool = createPool(limits, { min: 0, max: 10 }, { maxWaiting: 10, maxWaitMs: 1_000 });
    join(pool, { id: 'early', phase: 'ready', start: 'cold', because: '', jitter: 0.99 }, 0);
    arrive(pool, 1, 0);
    expect(recyclesDue(pool, 90_000).recycles).toEqual([]);
    expect(recyclesDue(pool, 90_100).recycles).toHaveLength(1);
  });

  it('replaces one at a time', () => {
    const pool = poolWith(3);
    for (const request of [1, 2, 3, 4, 5, 6]) arrive(pool, request, 0);
    expect(recyclesDue(pool, 100_000).recycles).toHaveLength(1);
    join(
      pool,
      { id: 'fresh', phase: 'booting', start: 'cold', because: '', replaces: 'i0' },
      100_000,
    );
    expect(recyclesDue(pool, 100_000).recycles).toEqual([]);
  });
});

describe('draining', () => {
  it('waits for leases up to limits.duration, then forces', () => {
    const pool = poolWith(2);
    arrive(pool, 1, 0);
    leave(pool, 'i0', '', 10);
    leave(pool, 'i1', '', 10);
    expect(drainsDue(pool, 20)).toEqual({ stop: ['i1'], force: [], look: [], lookAgainAt: 1_010 });
    lookedAt(pool, 'i0', 99_500);
    expect(drainsDue(pool, 99_600)).toMatchObject({ force: [], look: [], lookAgainAt: 100_010 });
    expect(drainsDue(pool, 100_010).force).toEqual(['i0']);
  });

  it('looks at one that finishes nothing for a second, again a second later, and not at one that does', () => {
    const pool = poolWith(1);
    arrive(pool, 1, 0);
    arrive(pool, 2, 0);
    leave(pool, 'i0', '', 10);
    expect(drainsDue(pool, 1_009).look).toEqual([]);
    expect(drainsDue(pool, 1_010).look).toEqual(['i0']);
    lookedAt(pool, 'i0', 1_015);
    expect(drainsDue(pool, 1_500).look).toEqual([]);
    expect(drainsDue(pool, 2_015).look).toEqual(['i0']);
    endLease(pool, 'i0', true, 2_000);
    expect(drainsDue(pool, 2_015)).toMatchObject({ look: [], lookAgainAt: 3_000 });
  });

  it('does not wait for what an instance holds that answers nothing any more', () => {
    const pool = poolWith(1);
    arrive(pool, 1, 0);
    hang(pool, 'i0', 'no answer', 10);
    expect(drainsDue(pool, 10).force).toEqual(['i0']);
  });
});

describe('back-off', () => {
  it('grows from a second to five minutes and stays there', () => {
    expect([0, 1, 2, 3, 9, 10, 1_000].map(backoffMs)).toEqual([
      0, 1_000, 2_000, 4_000, 256_000, 300_000, 300_000,
    ]);
  });
});

describe('boot permits', () => {
  it('go to the deployment with the fewest boots, then to the one that came first', () => {
    const waiting = [
      { deploymentId: 'burst', sequence: 1 },
      { deploymentId: 'burst', sequence: 2 },
      { deploymentId: 'quiet', sequence: 3 },
    ];
    expect(nextPermit(waiting, new Map([['burst', 1]]), 4)?.deploymentId).toBe('quiet');
    expect(nextPermit(waiting, new Map(), 4)?.sequence).toBe(1);
    expect(nextPermit(waiting, new Map([['burst', 4]]), 4)).toBeUndefined();
  });
});
