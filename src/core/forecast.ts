/** When the disk will be full, from how full it was each day. */
import type { DiskSample } from './model.ts';

export type Forecast =
  /** Too few days were seen to say anything. */
  | { readonly kind: 'unknown'; readonly because: string }
  /** It does not grow. */
  | { readonly kind: 'steady'; readonly because: string }
  | {
      readonly kind: 'full';
      /** From now on; 0 when it is full already. */
      readonly days: number;
      readonly bytesPerDay: number;
      readonly because: string;
    };

const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_DAYS = 7;
/** A line through fewer points says more about one deploy than about a week. */
const LEAST_DAYS = 3;
/** Beyond this nobody plans, and the line is no longer worth its digits. */
const FAR_DAYS = 365;

/** The number of a day (UTC), for one sample each. */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

/** Samples to keep: the last week, and room for days on which Berth did not run. */
export const SAMPLES_KEPT_MS = 30 * DAY_MS;

/** By the line that fits the samples of the last week best. `limitBytes`: what may be used. */
export function forecast(
  samples: readonly DiskSample[],
  limitBytes: number,
  now: number,
): Forecast {
  const week = samples.filter(({ at }) => at > now - WEEK_DAYS * DAY_MS && at <= now);
  const last = week.at(-1);
  if (!last || week.length < LEAST_DAYS) {
    const seen = `${week.length} ${week.length === 1 ? 'day' : 'days'} of the last week`;
    return { kind: 'unknown', because: `not enough history: ${seen} seen, ${LEAST_DAYS} needed` };
  }
  if (last.usedBytes >= limitBytes) {
    return { kind: 'full', days: 0, bytesPerDay: slope(week), because: 'full now' };
  }
  const bytesPerDay = slope(week);
  const days = (limitBytes - last.usedBytes) / bytesPerDay - (now - last.at) / DAY_MS;
  if (bytesPerDay <= 0 || days > FAR_DAYS) {
    return { kind: 'steady', because: 'not within a year at the last week’s pace' };
  }
  const whole = Math.max(0, Math.round(days));
  const when = whole === 1 ? 'about a day' : `about ${whole} days`;
  return {
    kind: 'full',
    days: Math.max(0, days),
    bytesPerDay,
    because:
      whole === 0
        ? 'full today at the last week’s pace'
        : `full in ${when} at the last week’s pace`,
  };
}

/** Of the line with the least squares, in bytes per day. */
function slope(samples: readonly DiskSample[]): number {
  const meanAt = mean(samples.map(({ at }) => at));
  const meanBytes = mean(samples.map(({ usedBytes }) => usedBytes));
  let together = 0;
  let spread = 0;
  for (const { at, usedBytes } of samples) {
    together += (at - meanAt) * (usedBytes - meanBytes);
    spread += (at - meanAt) ** 2;
  }
  return spread === 0 ? 0 : (together / spread) * DAY_MS;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
