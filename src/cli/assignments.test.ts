/** Proves how `min=1` and a project are told apart. */
import { expect, it } from 'vitest';
import { readAssignments, wholeNumber } from './assignments.ts';

const read = (...given: readonly string[]) => readAssignments(given, ['min', 'max']);

it('takes values and at most one project, in any order', () => {
  expect(read()).toStrictEqual({ project: undefined, values: {} });
  expect(read('min=1', 'shop', 'max=5')).toStrictEqual({
    project: 'shop',
    values: { min: '1', max: '5' },
  });
});

it('refuses a second project, an unknown name, and what is no number', () => {
  expect(() => read('shop', 'other')).toThrow('shop and other');
  expect(() => read('mni=1')).toThrow('mni=1 is none of min=, max=.');
  expect(wholeNumber('min', '12')).toBe(12);
  expect(() => wholeNumber('min', '1.5')).toThrow('min must be a whole number');
});
