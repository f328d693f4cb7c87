/** Proves when a disk is too full for a build, and when the budget is. */
import { expect, test } from 'vitest';
import { type DiskState, roomBytes, shortage } from './disk.ts';

const GIB = 1024 ** 3;
const NO_BUDGET = { usedBytes: 0, budgetBytes: Number.POSITIVE_INFINITY };
const space = (freeGiB: number, totalGiB: number): DiskState => ({
  fileSystems: [{ freeBytes: freeGiB * GIB, totalBytes: totalGiB * GIB }],
  ...NO_BUDGET,
});

test('15 % of the disk stay free, but no less than 1 GiB and no more than 20', () => {
  expect(shortage(space(6.1, 40), 0)).toBeUndefined();
  expect(shortage(space(5.9, 40), 0)).toMatchObject({ code: 'DISK_FULL' });
  expect(shortage(space(1.1, 3), 0)).toBeUndefined();
  expect(shortage(space(0.9, 3), 0)).toBeDefined();
  expect(shortage(space(20.1, 4_000), 0)).toBeUndefined();
  expect(shortage(space(19.9, 4_000), 0)).toBeDefined();
});

test('what is wanted needs room besides that, and the refusal says how much is missing', () => {
  expect(shortage(space(3, 4), 1.9 * GIB)).toBeUndefined();
  const found = shortage(space(3, 4), 2.5 * GIB);
  expect(found?.missingBytes).toBeCloseTo(0.5 * GIB, -3);
  expect(found?.because).toContain('3.2 GB of the 4.3 GB of the disk are free');
});

test('the budget refuses on an empty disk as well, and whichever lacks more is named', () => {
  const state: DiskState = { ...space(90, 100), usedBytes: 5 * GIB, budgetBytes: 6 * GIB };
  expect(shortage(state, 0.5 * GIB)).toBeUndefined();
  expect(shortage(state, 2 * GIB)).toMatchObject({ code: 'DISK_BUDGET', missingBytes: GIB });
  const full: DiskState = { ...state, fileSystems: [{ freeBytes: 0, totalBytes: 100 * GIB }] };
  expect(shortage(full, 2 * GIB)?.code).toBe('DISK_FULL');
});

test('the fullest of several file systems decides, measured by its own mark', () => {
  const [large] = space(12, 1_000).fileSystems;
  const [small] = space(2, 4).fileSystems;
  const state: DiskState = { fileSystems: [small, large].filter((one) => !!one), ...NO_BUDGET };
  expect(shortage(state, 0)?.because).toContain('13 GB of the 1.1 TB');
  expect(roomBytes(state)).toBe(0);
});
