/** Proves that a bucket gives its burst and then one turn per interval, and says truly when the next one is there. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Bucket, takeTurn } from './token-bucket.ts';

const RATE = { burst: 3, everyMs: 100 };

it('gives the burst at once, then one turn per interval', () => {
  let bucket: Bucket | undefined;
  const take = (now: number) => {
    const turn = takeTurn(bucket, RATE, now);
    ({ bucket } = turn);
    return turn.kind === 'taken' ? 'taken' : turn.retryAfterMs;
  };
  expect([take(0), take(0), take(0), take(0)]).toStrictEqual(['taken', 'taken', 'taken', 100]);
  expect([take(40), take(100), take(100)]).toStrictEqual([60, 'taken', 100]);
  // A long rest fills it, and no more than that.
  expect([take(9_000), take(9_000), take(9_000), take(9_000)]).toStrictEqual([
    'taken',
    'taken',
    'taken',
    100,
  ]);
});

it('never gives more than the burst and what time brought, and keeps its promise of the next turn', () => {
  const rate = fc.record({
    burst: fc.integer({ min: 1, max: 20 }),
    everyMs: fc.integer({ min: 1, max: 1_000 }),
  });
  fc.assert(
    fc.property(
      rate,
      fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
      (drawn, waits) => {
        let now = 1_000;
        let taken = 0;
        let bucket: Bucket | undefined;
        for (const wait of waits) {
          now += wait;
          const turn = takeTurn(bucket, drawn, now);
          ({ bucket } = turn);
          if (turn.kind === 'taken') taken += 1;
          else expect(takeTurn(bucket, drawn, now + turn.retryAfterMs).kind).toBe('taken');
        }
        expect(taken).toBeLessThanOrEqual(drawn.burst + (now - 1_000) / drawn.everyMs + 1e-6);
      },
    ),
  );
});
