/** What a pool's load asks for now: whom to serve, what to wake, and why. */
import type { InstanceId, StartKind } from './model.ts';
import {
  busyUnits,
  countCapacity,
  countRunning,
  firstFree,
  type Phase,
  type Pool,
  type RequestId,
} from './pool.ts';

export interface Dispatch {
  readonly requestId: RequestId;
  readonly instanceId: InstanceId;
  readonly start: StartKind;
}

export interface Plan {
  readonly dispatch: readonly Dispatch[];
  /** These have waited longer than they may. */
  readonly timedOut: readonly RequestId[];
  /** These get the failure: starts keep failing, and nothing else is there to serve them. */
  readonly refused: readonly RequestId[];
  readonly thaw: readonly InstanceId[];
  /** Parked ones to start. */
  readonly start: readonly InstanceId[];
  /** How many to create; the caller joins them, booting, before it asks for the next plan. */
  readonly create: number;
  /** These get QUOTA_INSTANCES: the team has no instance left to start, and none is there to serve them. */
  readonly overQuota: readonly RequestId[];
  /** Instances that the load wants and the team may not start. */
  readonly lacking: number;
  readonly because: string;
  /** When to ask again although nothing happened. */
  readonly lookAgainAt: number | undefined;
}

/** What to do now: serve those who wait, and wake as many instances as the load wants. */
export function plan(pool: Pool, now: number): Plan {
  const dispatch = serveWaiting(pool);
  const timedOut = dropOverdue(pool, now);

  const load = busyUnits(pool) + pool.waiting.size;
  const byLoad = Math.ceil(load / pool.limits.maxConcurrentReqs);
  const wanted = Math.min(pool.scale.max, Math.max(byLoad, pool.scale.min));

  const capacity = countCapacity(pool);
  const wantedMore = Math.max(0, wanted - capacity);
  const missing = Math.min(wantedMore, roomOf(pool));
  const lacking = wantedMore - missing;
  const because = explain(pool, { load, wanted, capacity, lacking, now });
  if (wantedMore > 0) pool.because = because;

  const overQuota = capacity === 0 && missing === 0 && lacking > 0 ? takeAllWaiting(pool) : [];
  const thaw = wake(pool, 'frozen', 'thawed', missing, because);
  // A thaw is no start, so only what is still missing after it has to wait for the back-off.
  const toStart = missing - thaw.length;
  const backsOff = toStart > 0 && now < pool.backoffUntil;
  const start = backsOff ? [] : wake(pool, 'parked', 'parked', toStart, because);
  const create = backsOff ? 0 : toStart - start.length;
  const refused = backsOff && capacity + thaw.length === 0 ? takeAllWaiting(pool) : [];
  return {
    dispatch,
    timedOut,
    refused,
    thaw,
    start,
    create,
    overQuota,
    lacking,
    because,
    lookAgainAt: nextLook(pool, backsOff),
  };
}

/** How many instances short the load would be now for want of room in the team's plan. */
export function lackingRoom(pool: Pool): number {
  if (pool.use?.quota.instances === undefined) return 0;
  const load = busyUnits(pool) + pool.waiting.size;
  const byLoad = Math.ceil(load / pool.limits.maxConcurrentReqs);
  const wanted = Math.min(pool.scale.max, Math.max(byLoad, pool.scale.min));
  return Math.max(0, wanted - countCapacity(pool) - roomOf(pool));
}

function roomOf(pool: Pool): number {
  return pool.isPreparing ? Infinity : (pool.use?.room() ?? Infinity);
}

function planOf({ use }: Pool): string {
  return `the plan ${use?.plan} of team ${use?.team} allows ${use?.quota.instances} at once`;
}

function serveWaiting(pool: Pool): Dispatch[] {
  const dispatch: Dispatch[] = [];
  for (const [requestId, waiting] of pool.waiting) {
    const instance = firstFree(pool);
    if (!instance) break;
    pool.waiting.delete(requestId);
    instance.inFlight += 1;
    const start = waiting.at <= instance.readyAt ? instance.start : 'warm';
    dispatch.push({ requestId, instanceId: instance.id, start });
  }
  return dispatch;
}

function dropOverdue(pool: Pool, now: number): RequestId[] {
  const overdue: RequestId[] = [];
  for (const [requestId, waiting] of pool.waiting) {
    if (now - waiting.at < pool.bounds.maxWaitMs) break;
    pool.waiting.delete(requestId);
    overdue.push(requestId);
  }
  return overdue;
}

function takeAllWaiting(pool: Pool): RequestId[] {
  const requestIds = [...pool.waiting.keys()];
  pool.waiting.clear();
  return requestIds;
}

function wake(
  pool: Pool,
  phase: Phase,
  start: StartKind,
  most: number,
  because: string,
): InstanceId[] {
  const woken: InstanceId[] = [];
  for (const instance of pool.instances.values()) {
    if (woken.length >= most) break;
    if (instance.phase !== phase) continue;
    instance.phase = 'booting';
    instance.start = start;
    instance.because = because;
    woken.push(instance.id);
  }
  if (woken.length > 0) countRunning(pool);
  return woken;
}

function nextLook(pool: Pool, backsOff: boolean): number | undefined {
  const oldest = pool.waiting.values().next().value;
  const overdueAt = oldest === undefined ? undefined : oldest.at + pool.bounds.maxWaitMs;
  if (!backsOff) return overdueAt;
  return overdueAt === undefined ? pool.backoffUntil : Math.min(overdueAt, pool.backoffUntil);
}

function explain(
  pool: Pool,
  facts: { load: number; wanted: number; capacity: number; lacking: number; now: number },
): string {
  const { load, wanted, capacity, lacking, now } = facts;
  const { limits } = pool;
  const bound = boundOf(pool, load, wanted);
  const need = `${load} in flight or waiting ÷ ${limits.maxConcurrentReqs} per instance wants ${wanted}${bound}`;
  const held = lacking > 0 ? `, ${lacking} held back: ${planOf(pool)}` : '';
  const have = `${capacity} ready or booting${held}`;
  if (now >= pool.backoffUntil) return `${need}, ${have}`;
  const seconds = Math.ceil((pool.backoffUntil - now) / 1_000);
  return `${need}, ${have}; ${pool.failures} failed starts in a row, next try in ${seconds} s`;
}

/** What beside the load makes it as many as that. */
function boundOf({ limits, scale, lastingMin }: Pool, load: number, wanted: number): string {
  const byLoad = Math.ceil(load / limits.maxConcurrentReqs);
  if (byLoad < wanted) return wanted > lastingMin ? ' (for a release)' : ' (scale.min)';
  return wanted === scale.max ? ' (scale.max)' : '';
}
