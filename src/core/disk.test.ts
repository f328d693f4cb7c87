/** Proves when a disk is too full for a build. */
import { expect, test } from 'vitest';
import { refuseBuild } from './disk.ts';

const GIB = 1024 ** 3;
const space = (freeGiB: number, totalGiB: number) => ({
  freeBytes: freeGiB * GIB,
  totalBytes: totalGiB * GIB,
});

test('5 % of the disk stay free, but no less than 1 GiB and no more than 10', () => {
  expect(refuseBuild(space(2.1, 40), 0)).toBeUndefined();
  expect(refuseBuild(space(1.9, 40), 0)).toBeDefined();
  expect(refuseBuild(space(1.1, 8), 0)).toBeUndefined();
  expect(refuseBuild(space(0.9, 8), 0)).toBeDefined();
  expect(refuseBuild(space(10.1, 4_000), 0)).toBeUndefined();
  expect(refuseBuild(space(9.9, 4_000), 0)).toBeDefined();
});

test('the files of the build need room besides that, and the refusal says how much there is', () => {
  expect(refuseBuild(space(3, 8), 1.9 * GIB)).toBeUndefined();
  expect(refuseBuild(space(3, 8), 2.1 * GIB)).toContain('Only 3.0 GiB are free');
});
