/** Proves when the disk is said to be full, and when nothing can be said. */
import { expect, test } from 'vitest';
import { dayOf, forecast } from './forecast.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = 500 * DAY_MS;
const GB = 1e9;
/** Each of the last days, the last of them now. */
const samples = (...usedGb: readonly number[]) =>
  usedGb.map((used, index) => ({
    at: NOW - (usedGb.length - 1 - index) * DAY_MS,
    usedBytes: used * GB,
  }));

test('steady growth is carried on to the limit', () => {
  expect(forecast(samples(1, 2, 3, 4, 5, 6, 7), 19 * GB, NOW)).toMatchObject({
    kind: 'full',
    days: expect.closeTo(12, 5) as number,
    bytesPerDay: expect.closeTo(GB, 0) as number,
    because: 'full in about 12 days at the last week’s pace',
  });
});

test('only the last week counts, and one odd day moves the line only a little', () => {
  const calm = forecast(samples(90, 90, 1, 2, 3, 4, 5, 6, 7), 19 * GB, NOW);
  expect(calm).toMatchObject({ kind: 'full', days: expect.closeTo(12, 5) as number });
  const odd = forecast(samples(1, 2, 3, 4.5, 5, 6, 7), 19 * GB, NOW);
  expect(odd.kind === 'full' && Math.abs(odd.days - 12) < 2).toBe(true);
});

test('what shrinks, stands still or takes years is not full within a year', () => {
  for (const week of [samples(7, 6, 5), samples(5, 5, 5), samples(5, 5.001, 5.002)]) {
    expect(forecast(week, 19 * GB, NOW)).toEqual({
      kind: 'steady',
      because: 'not within a year at the last week’s pace',
    });
  }
});

test('what is full now is said to be, whatever the pace', () => {
  expect(forecast(samples(21, 20, 19.5), 19 * GB, NOW)).toMatchObject({
    days: 0,
    because: 'full now',
  });
});

test('too few days, and days long ago, are not enough', () => {
  const because = 'not enough history: 2 days of the last week seen, 3 needed';
  expect(forecast(samples(1, 5), 19 * GB, NOW)).toEqual({ kind: 'unknown', because });
  expect(forecast(samples(1, 2, 3), 19 * GB, NOW + 20 * DAY_MS).kind).toBe('unknown');
  expect(forecast([], 19 * GB, NOW).because).toContain('0 days');
});

test('a day is one of UTC', () => {
  expect(dayOf(DAY_MS - 1)).toBe(0);
  expect(dayOf(DAY_MS)).toBe(1);
});
