/** Busy leases: an instance says for how long it works in the background, and stays awake as long. */
import type { InstanceId } from './model.ts';
import type { Pool, PoolInstance } from './pool.ts';

/** Where an instance says so from inside; on public hostnames nobody may. */
export const BUSY_PATH = '/.well-known/berth/busy';
/** The same said with a response; it never reaches the client. */
export const BUSY_HEADER = 'x-berth-busy';

/** Whether a request target, with or without a query, is that place. */
export function isBusyPath(path: string): boolean {
  if (!path.startsWith(BUSY_PATH)) return false;
  const next = path[BUSY_PATH.length];
  return next === undefined || next === '?';
}

const UNIT_MS = { '': 1_000, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `600`, `90s`, `10m`, `1h` or `0` as ms; undefined when it is none of these forms. */
export function parseBusy(said: string): number | undefined {
  const match = /^ *(\d{1,15})([smh]?) *$/.exec(said);
  if (!match) return undefined;
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** What came of saying so. */
export interface BusyGranted {
  /** When the busy lease ends, ms since the epoch. */
  readonly until: number;
  /** It was cut to what the limits allow. */
  readonly isCut: boolean;
}

/**
 * An instance says that it is busy for so long from now; the latest word counts, and 0 ends it at once. Undefined when it
 * is none that runs.
 *
 * A busy lease is a lease like that of a request: it keeps the instance from coming to rest, a drain waits for it, and
 * it lasts at most `limits.duration`. So what was granted before a drain began always ends before the drain's deadline
 * (which is `limits.duration` too) and is never broken; said again while draining, it ends at that deadline. It may be
 * said again and again, but no instance lives longer than its age at recycling and one drain.
 *
 * It takes no unit of `maxConcurrentReqs`: the app serves as many requests beside its background work as ever, and a
 * unit in use would, near the limit, start instances that nobody's request asked for.
 */
export function sayBusy(
  pool: Pool,
  instanceId: InstanceId,
  forMs: number,
  now: number,
): BusyGranted | undefined {
  const instance = pool.instances.get(instanceId);
  if (!instance || instance.phase === 'parked') return undefined;
  const latest =
    instance.leavingSince === undefined
      ? now + pool.limits.durationMs
      : Math.max(now, instance.leavingSince + pool.limits.durationMs);
  const until = Math.min(now + forMs, latest);
  // Ending what was never begun is no use of the app: idle time goes on.
  if (forMs > 0 || isBusy(instance, now)) instance.busyUntil = until;
  return { until, isCut: until < now + forMs };
}

/** Whether the instance holds a busy lease. */
export function isBusy(instance: PoolInstance, now: number): boolean {
  return now < instance.busyUntil;
}
