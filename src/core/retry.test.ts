/** A request is sent again only when nobody can tell the difference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyState, decideRetry, type Happened, isIdempotent } from './retry.ts';

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH', 'get', 'LOCK'];
const HAPPENED: readonly Happened[] = ['refused', 'undelivered', 'reset', 'unread', 'answering'];
const BODIES: readonly BodyState[] = ['empty', 'whole', 'streaming'];

function again(happened: Happened, method: string, body: BodyState, tries = 1): boolean {
  return decideRetry({ happened, method, body, tries, maxTries: 3, resets: 1 }).again;
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
    ['unread', 'POST', 'whole', true],
    ['unread', 'POST', 'empty', true],
    ['unread', 'POST', 'streaming', false],
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
    resets: fc.nat(5),
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
        if (attempted.happened !== 'reset') return;
        expect(isIdempotent(attempted.method)).toBe(true);
        expect(attempted.resets).toBeLessThan(3);
      }),
    );
  });

  it('lets a request take three instances with it and no fourth, however many tries there are', () => {
    const get = { happened: 'reset', method: 'GET', body: 'empty', maxTries: 9 } as const;
    expect(decideRetry({ ...get, tries: 1, resets: 1 }).again).toBe(true);
    expect(decideRetry({ ...get, tries: 2, resets: 2 }).again).toBe(true);
    expect(decideRetry({ ...get, tries: 3, resets: 3 })).toEqual({
      again: false,
      because: '3 instances ended while they answered it',
    });
    // What was refused or unread in between is not counted against it.
    expect(decideRetry({ ...get, happened: 'refused', tries: 5, resets: 1 }).again).toBe(true);
  });
});
