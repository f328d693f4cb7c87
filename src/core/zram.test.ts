/** A table of hosts and what they are offered. */
import { expect, it } from 'vitest';
import { planZram } from './zram.ts';

const GIB = 1024 ** 3;
const host = { isRoot: true, memoryBytes: 4 * GIB, swap: { bytes: 0, isZram: false } };

it.each([
  ['half of the memory', host, undefined, 2 * GIB],
  ['at most 8 GiB', { ...host, memoryBytes: 100 * GIB }, undefined, 8 * GIB],
  ['as much as was asked for', host, GIB, GIB],
  ['more than the memory', host, 5 * GIB, /4096 MiB of memory/],
  ['not root', { ...host, isRoot: false }, undefined, /Only root/],
  [
    'swap is there',
    { ...host, swap: { bytes: GIB, isZram: false } },
    undefined,
    /1024 MiB of swap/,
  ],
  ['zram is there', { ...host, swap: { bytes: GIB, isZram: true } }, GIB, /1024 MiB of zram/],
])('%s', (_name, facts, asked, expected) => {
  const plan = planZram(facts, asked);
  if (typeof expected === 'number') expect(plan).toEqual({ kind: 'possible', bytes: expected });
  else expect(plan).toEqual({ kind: 'refused', because: expect.stringMatching(expected) });
});
