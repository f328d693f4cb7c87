/** A busy lease keeps an instance awake for as long as was granted, and changes nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBusy, parseBusy, sayBusy } from './busy.ts';
import { drainsDue } from './drain.ts';
import { restsDue } from './idle.ts';
import { plan } from './plan.ts';
import { arrive, createPool, endLease, join, leave, type Pool } from './pool.ts';

const LIMITS = { maxConcurrentReqs: 2, durationMs: 300_000, timeoutMs: 60_000 };

function poolOf(phase: 'ready' | 'parked' | 'frozen' = 'ready', limits = LIMITS): Pool {
  const pool = createPool(limits, { min: 0, max: 10 }, { maxWaiting: 10, maxWaitMs: 1_000 });
  join(pool, { id: 'a', phase, start: 'cold', because: 'test' }, 0);
  return pool;
}

const ms = fc.integer({ min: 0, max: 1_000_000 });

describe('what an instance says', () => {
  it.each([
    ['600', 600_000],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['0', 0],
    ['0m', 0],
    [' 5 ', 5_000],
    ['', undefined],
    ['-1', undefined],
    ['1.5h', undefined],
    ['10 m', undefined],
    ['10M', undefined],
    ['1d', undefined],
    ['10m, 20m', undefined],
    ['Infinity', undefined],
    ['9'.repeat(16), undefined],
  ])('%j is %s ms', (said, expected) => {
    expect(parseBusy(said)).toBe(expected);
  });
});

describe('a busy lease', () => {
  it('keeps the instance from coming to rest until limits.timeout after its end', () => {
    const pool = poolOf();
    expect(sayBusy(pool, 'a', 100_000, 50_000)).toEqual({ until: 150_000, isCut: false });
    expect(restsDue(pool, 'freeze', 150_000)).toEqual({ rests: [], lookAgainAt: 210_000 });
    expect(restsDue(pool, 'freeze', 210_000).rests).toMatchObject([{ instanceId: 'a' }]);
  });

  it('ends at once with 0, and idle time begins then', () => {
    const pool = poolOf();
    sayBusy(pool, 'a', 200_000, 0);
    sayBusy(pool, 'a', 0, 50_000);
    expect(isBusy(pool.instances.get('a')!, 50_000)).toBe(false);
    expect(restsDue(pool, 'freeze', 109_999)).toEqual({ rests: [], lookAgainAt: 110_000 });
    expect(restsDue(pool, 'freeze', 110_000).rests).toHaveLength(1);
  });

  it('that was never begun is not ended by 0: idle time goes on', () => {
    const pool = poolOf();
    sayBusy(pool, 'a', 0, 50_000);
    expect(restsDue(pool, 'freeze', 60_000).rests).toHaveLength(1);
  });

  it('is held by no instance that does not run', () => {
    expect(sayBusy(poolOf('parked'), 'a', 1_000, 0)).toBeUndefined();
    expect(sayBusy(poolOf(), 'b', 1_000, 0)).toBeUndefined();
  });

  it('is waited for by a drain, though no longer than to its deadline', () => {
    const pool = poolOf();
    sayBusy(pool, 'a', 200_000, 0);
    leave(pool, 'a', 'recycled', 10_000);
    expect(drainsDue(pool, 10_000)).toMatchObject({ stop: [], force: [], lookAgainAt: 200_000 });
    expect(sayBusy(pool, 'a', 300_000, 199_000)).toEqual({ until: 310_000, isCut: true });
    expect(drainsDue(pool, 200_000)).toMatchObject({ stop: [], force: [], lookAgainAt: 310_000 });
    expect(drainsDue(pool, 310_000)).toMatchObject({ stop: ['a'], force: [] });
  });

  it('granted before a drain is never broken by it, and none outlives limits.duration', () => {
    fc.assert(
      fc.property(ms, ms, ms, (forMs, leavesAfter, looksAfter) => {
        const pool = poolOf();
        const { until } = sayBusy(pool, 'a', forMs, 0)!;
        expect(until).toBe(Math.min(forMs, LIMITS.durationMs));
        leave(pool, 'a', 'recycled', leavesAfter);
        const now = leavesAfter + looksAfter;
        const { stop, force } = drainsDue(pool, now);
        expect(force).toEqual([]);
        expect(stop).toEqual(now < until ? [] : ['a']);
      }),
    );
  });

  it('never lets an instance rest before its end, whatever was said and served in between', () => {
    const step = fc.tuple(fc.constantFrom('say', 'serve', 'look'), ms);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const pool = poolOf();
        let now = 0;
        let until = 0;
        let request = 0;
        for (const [what, value] of steps) {
          now += value % 100_000;
          if (what === 'say') {
            const granted = sayBusy(pool, 'a', value, now)!;
            if (value > 0 || now < until) until = granted.until;
          } else if (what === 'serve') {
            arrive(pool, (request += 1), now);
            endLease(pool, 'a', true, now);
          } else if (restsDue(pool, 'freeze', now).rests.length > 0) {
            expect(now).toBeGreaterThanOrEqual(until + LIMITS.timeoutMs);
          }
          expect(isBusy(pool.instances.get('a')!, now)).toBe(now < until);
        }
      }),
    );
  });

  it('takes no unit: the same requests are served, and nothing more is started', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), ms, (load, forMs) => {
        const [busy, calm] = [poolOf(), poolOf()];
        sayBusy(busy, 'a', forMs, 0);
        const arrivals = [busy, calm].map((pool) =>
          Array.from({ length: load }, (_, request) => arrive(pool, request, 1)),
        );
        expect(arrivals[0]).toEqual(arrivals[1]);
        expect(plan(busy, 1)).toEqual(plan(calm, 1));
      }),
    );
  });
});
