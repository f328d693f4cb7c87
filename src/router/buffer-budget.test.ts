/** Room for bodies: bounded for all, and fair between deployments. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferBudget } from './buffer-budget.ts';

it('gives half to one that is alone, and still something to the next ones', () => {
  const budget = new BufferBudget(1_000);
  expect(budget.take('hog', 500)).toBe(true);
  expect(budget.take('hog', 1)).toBe(false);
  expect(budget.take('victim', 250)).toBe(true);
  expect(budget.take('victim', 1)).toBe(false);
  expect(budget.take('third', 125)).toBe(true);
  budget.give('hog', 500);
  expect(budget.take('victim', 100)).toBe(true);
});

it('never holds more than its bound, and has all of it back at the end', () => {
  const step = fc.record({ owner: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(400) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new BufferBudget(1_000);
      const taken = steps.filter(({ owner, bytes }) => budget.take(owner, bytes));
      expect(taken.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1_000);
      for (const { owner, bytes } of taken) budget.give(owner, bytes);
      expect(budget.take('d', 500)).toBe(true);
    }),
  );
});
