/** Proves what is said of the budget, and when. */
import { expect, test } from 'vitest';
import { diskFinding } from './doctor-disk.ts';

const GB = 1e9;
const facts = {
  usedBytes: 5 * GB,
  budgetBytes: 50 * GB,
  roomBytes: 45 * GB,
  forecast: { because: 'full in about 40 days at the last week’s pace', days: 40 },
};

test('room and time enough are fine', () => {
  expect(diskFinding(facts)).toEqual({
    level: 'ok',
    about: 'budget',
    what: '5.0 GB of 50 GB used, full in about 40 days at the last week’s pace',
  });
});

test('full within two weeks, or nearly full now, is worth a word; no room is a problem', () => {
  const soon = { ...facts, forecast: { because: 'full in about 9 days', days: 9 } };
  expect(diskFinding(soon)).toMatchObject({ level: 'note' });
  expect(diskFinding({ ...facts, usedBytes: 44 * GB })).toMatchObject({ level: 'note' });
  expect(diskFinding({ ...facts, roomBytes: 0 })).toMatchObject({ level: 'problem' });
});
