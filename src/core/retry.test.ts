/** A request is sent again only when nobody can tell the difference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyState, decideRetry, type Happened, isIdempotent } from './retry.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH', 'get', 'LOCK'];
const HAPPENED: readonly Happened[] = ['refused', 'undelivered', 'reset', 'answering'];
const BODIES: readonly BodyState[] = ['empty', 'whole', 'streaming'];

function again(happened: Happened, method: string, body: BodyState, tries = 1): boolean {
  return decideRetry({ happened, method, body, tries, maxTries: 3 }).again;
}

describe('decideRetry', () => {
  it.each([
    ['refused', 'GET', 'empty', true],
    ['refused', 'POST', 'whole', true],
    ['undelivered', 'POST', 'empty', true],
    ['refused', 'POST', 'streaming', false],
    ['reset', 'GET', 'empty', true],
    ['reset', 'PUT', 'whole', true],
    ['reset', 'PUT', 'streaming', false],
    ['reset', 'POST', 'empty', false],
    ['reset', 'POST', 'whole', false],
    ['answering', 'GET', 'empty', false],
  ] as const)('%s, %s, body %s: %s', (happened, method, body, expected) => {
    expect(again(happened, method, body)).toBe(expected);
  });

  const anything = fc.record({
    happened: fc.constantFrom(...HAPPENED),
    method: fc.constantFrom(...METHODS),
    body: fc.constantFrom(...BODIES),
    tries: fc.integer({ min: 1, max: 9 }),
    maxTries: fc.integer({ min: 1, max: 5 }),
  });

  it('never sends what may have been carried out, what is not whole, or more often than allowed', () => {
    fc.assert(
      fc.property(anything, (attempted) => {
        const decision = decideRetry(attempted);
        expect(decision.because).not.toBe('');
        if (!decision.again) return;
        expect(attempted.tries).toBeLessThan(attempted.maxTries);
        expect(attempted.body).not.toBe('streaming');
        expect(attempted.happened).not.toBe('answering');
        if (attempted.happened === 'reset') expect(isIdempotent(attempted.method)).toBe(true);
      }),
    );
  });
});
