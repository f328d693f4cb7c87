/**
 * A release on trial: which clients get it, and whether it does worse than the one that stands.
 *
 * A client keeps its side by a cookie that holds its lot, a number from 0 to 99 drawn once; lots below the percentage get
 * the trial, so raising the percentage moves nobody back. Clients that keep no cookies are drawn anew for each request.
 */
import type { DeploymentId } from './model.ts';
import type { Trial } from './route.ts';

const LOT_COOKIE = 'berth-lot';
const LOTS = 100;
/** How long a browser keeps its lot. */
const LOT_SECONDS = 24 * 3_600;
const LOT = new RegExp(`(?:^|[;\\s])${LOT_COOKIE}=(\\d{1,2})(?:;|$)`);

export interface Side {
  readonly deploymentId: DeploymentId;
  /** Value of `set-cookie` for a client that had no lot yet. */
  readonly setCookie: string | undefined;
}

/** @param draw 0 ≤ x < 1, used for a client without a lot. */
export function pickSide(
  stable: DeploymentId,
  trial: Trial,
  cookies: string | undefined,
  draw: number,
): Side {
  const kept = cookies === undefined ? undefined : LOT.exec(cookies)?.[1];
  const lot = kept === undefined ? Math.floor(draw * LOTS) : Number(kept);
  return {
    deploymentId: lot < trial.percent ? trial.deploymentId : stable,
    setCookie:
      kept === undefined
        ? `${LOT_COOKIE}=${lot}; Path=/; Max-Age=${LOT_SECONDS}; HttpOnly; SameSite=Lax`
        : undefined,
  };
}

/** One answered request, as far as it counts here. */
export interface Answered {
  /** Status 500 or above, whoever said it. */
  readonly isError: boolean;
  /** From dispatch to the head of the answer, in ms; undefined when there was none. */
  readonly appMs: number | undefined;
}

interface Slice {
  readonly from: number;
  requests: number;
  errors: number;
  /** Counts by `bucketOf`. */
  readonly latencies: number[];
}

/** What one side answered lately; changed in place by `note`. */
export interface Tally {
  readonly slices: Slice[];
}

/** Only this much of the past counts, in ms. */
export const WINDOW_MS = 60_000;
const SLICE_MS = 5_000;
/** Four buckets for each doubling: a percentile is right within 19 %. */
const BUCKETS_PER_DOUBLING = 4;

export function createTally(): Tally {
  return { slices: [] };
}

/** `now` in ms since the epoch, never earlier than before. */
export function note(tally: Tally, { isError, appMs }: Answered, now: number): void {
  let slice = tally.slices.at(-1);
  if (slice === undefined || now - slice.from >= SLICE_MS) {
    slice = { from: now, requests: 0, errors: 0, latencies: [] };
    tally.slices.push(slice);
    while ((tally.slices[0]?.from ?? now) < now - WINDOW_MS) tally.slices.shift();
  }
  slice.requests += 1;
  if (isError) slice.errors += 1;
  if (appMs === undefined) return;
  const bucket = bucketOf(appMs);
  slice.latencies[bucket] = (slice.latencies[bucket] ?? 0) + 1;
}

function bucketOf(ms: number): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(ms, 0.01) * 100) * BUCKETS_PER_DOUBLING));
}

function msOf(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_DOUBLING) / 100;
}

interface Sum {
  readonly requests: number;
  readonly errors: number;
  /** In ms; 0 when nothing was answered. */
  readonly p95: number;
}

function sum(tally: Tally, now: number): Sum {
  const slices = tally.slices.filter(({ from }) => from >= now - WINDOW_MS);
  const latencies: number[] = [];
  for (const slice of slices) {
    slice.latencies.forEach((count, bucket) => {
      latencies[bucket] = (latencies[bucket] ?? 0) + count;
    });
  }
  const answered = total(latencies);
  let left = answered * 0.05;
  let p95 = 0;
  for (let bucket = latencies.length - 1; bucket >= 0; bucket -= 1) {
    left -= latencies[bucket] ?? 0;
    if (left >= 0) continue;
    p95 = answered === 0 ? 0 : msOf(bucket);
    break;
  }
  return {
    requests: total(slices.map(({ requests }) => requests)),
    errors: total(slices.map(({ errors }) => errors)),
    p95,
  };
}

function total(counts: readonly number[]): number {
  let all = 0;
  // Holes are skipped.
  counts.forEach((count) => {
    all += count;
  });
  return all;
}

export interface Verdict {
  readonly isWorse: boolean;
  /** In words, for `berth releases`. */
  readonly because: string;
}

/** Fewer requests than this say nothing about errors. */
const LEAST_REQUESTS = 20;
const LEAST_ERRORS = 3;
/** So many more failures than before, in parts of one, are nobody's bad luck but may be borne. */
const ERROR_MARGIN = 0.02;
/** One-sided, one in 740: what is looked at each second must not be seen by chance. */
const SIGMAS = 3;
/** Without anything to compare with, this share of failures is too much. */
const ERRORS_ALONE = 0.2;
/** Fewer than this say nothing about the slowest of twenty. */
const LEAST_TIMED = 100;
const SLOWER_FACTOR = 2;
const SLOWER_MS = 50;

/**
 * | over the last minute | verdict |
 * |---|---|
 * | the trial failed significantly more often (two proportions, 3 sigma) and by more than 2 points | worse |
 * | it failed in a fifth of its requests, with nothing to compare | worse |
 * | the slowest twentieth of it takes twice as long and 50 ms more | worse |
 * | otherwise, or too few requests | not worse |
 */
export function judge(stable: Tally, trial: Tally, now: number): Verdict {
  const old = sum(stable, now);
  const fresh = sum(trial, now);
  const failed = `${share(fresh)} failed, against ${share(old)} without it`;
  if (hasMoreErrors(old, fresh)) return { isWorse: true, because: failed };
  const isTimed = old.requests >= LEAST_TIMED && fresh.requests >= LEAST_TIMED;
  if (isTimed && fresh.p95 > old.p95 * SLOWER_FACTOR + SLOWER_MS) {
    const because = `95 % answer within ${Math.round(fresh.p95)} ms, against ${Math.round(old.p95)} ms without it`;
    return { isWorse: true, because };
  }
  return { isWorse: false, because: failed };
}

function hasMoreErrors(old: Sum, fresh: Sum): boolean {
  if (fresh.requests < LEAST_REQUESTS || fresh.errors < LEAST_ERRORS) return false;
  const rate = fresh.errors / fresh.requests;
  if (old.requests < LEAST_REQUESTS) return rate > ERRORS_ALONE;
  const more = rate - old.errors / old.requests;
  const pooled = (fresh.errors + old.errors) / (fresh.requests + old.requests);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / fresh.requests + 1 / old.requests));
  return more > ERROR_MARGIN && more > SIGMAS * deviation;
}

/** `12 of 40 requests (30 %)` */
function share({ requests, errors }: Sum): string {
  const percent = requests === 0 ? 0 : Math.round((errors / requests) * 100);
  return `${errors} of ${requests} requests (${percent} %)`;
}
