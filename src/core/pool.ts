/**
 * The leases of one deployment: who waits, which instance serves whom, and which instances have to be woken for it.
 *
 * A `Pool` is a value with one owner. The functions below change it in place, synchronously, and return what is to be
 * done; time and ids come from outside. Rules:
 * - strictly first come, first served: nobody is served before one who waits longer;
 * - instances are filled in order of age, so that load stays on as few as needed;
 * - instances wanted = ceil((in flight + waiting) / maxConcurrentReqs), booting ones counted as capacity, never above max;
 * - nobody waits behind a busy instance while another may be started.
 */
import { backoffMs, STABLE_AFTER_MS } from './backoff.ts';
import type { InstanceId, Limits, Scale, StartKind } from './model.ts';
import type { TeamUse } from './quota.ts';

export type RequestId = number;

/**
 * `booting` includes thawing; `ready` includes busy; `leaving` has been handed over for stopping and is no capacity
 * any more but may still hold leases.
 */
export type Phase = 'parked' | 'booting' | 'ready' | 'frozen' | 'leaving';

export interface PoolInstance {
  readonly id: InstanceId;
  phase: Phase;
  /** How the present or last boot began. */
  start: StartKind;
  inFlight: number;
  /** A connection to it broke: it gets no more requests until somebody has looked whether it still lives. */
  isSuspect: boolean;
  /** Frozen, and its pages were given up: it still thaws, a little more slowly. */
  isReclaimed: boolean;
  /** A request was served since it became ready. */
  hasServed: boolean;
  readonly createdAt: number;
  /** Running time of earlier spans, in ms; frozen time is not in it. */
  ranMs: number;
  /** Since when the present span runs. */
  runningSince: number | undefined;
  readyAt: number;
  readonly jitter: number;
  /** When the last lease ended, or it became ready. */
  idleSince: number;
  leavingSince: number | undefined;
  /** Until when it holds a busy lease (`core/busy.ts`); 0: it never said so. */
  busyUntil: number;
  /** When a lease ended last; 0 when none did. */
  lastEndAt: number;
  /** When it was last seen whether it reads its requests; 0 when never. */
  lookedAt: number;
  /** It does not answer any more: its leases need not be waited for. */
  isHung: boolean;
  /** The instance that this one is booted to take over from. */
  readonly replaces: InstanceId | undefined;
  because: string;
}

interface Waiting {
  readonly at: number;
}

export interface Bounds {
  /** Requests that may wait at once. */
  readonly maxWaiting: number;
  /** Longest wait, in ms. */
  readonly maxWaitMs: number;
}

export interface Pool {
  readonly limits: Limits;
  /** Replaced when environments ask for another. */
  scale: Scale;
  readonly bounds: Bounds;
  /** In order of age. */
  readonly instances: Map<InstanceId, PoolInstance>;
  /** In order of arrival. */
  readonly waiting: Map<RequestId, Waiting>;
  /** Failed starts and early crashes in a row. */
  failures: number;
  /** No start before this time. */
  backoffUntil: number;
  because: string;
  /** What the team may use, all its deployments together; absent: nobody counts. */
  use: TeamUse | undefined;
  /** Instances counted there. */
  counted: number;
  /** A release waits for these instances: for that moment both sides run, whatever the team's plan says. */
  isPreparing: boolean;
  /** Of `scale.min`, what stays when no release waits any more. */
  lastingMin: number;
}

/** Why a deployment has no instances at first. */
export const NEVER_ASKED = 'nothing was asked of it yet';

export function createPool(limits: Limits, scale: Scale, bounds: Bounds): Pool {
  return {
    limits,
    scale,
    bounds,
    instances: new Map(),
    waiting: new Map(),
    failures: 0,
    backoffUntil: 0,
    because: NEVER_ASKED,
    use: undefined,
    counted: 0,
    isPreparing: false,
    lastingMin: scale.min,
  };
}

/** From now on the pool's instances and requests count for the team. */
export function joinTeam(pool: Pool, use: TeamUse): void {
  pool.use?.count(pool.counted, 0);
  pool.counted = 0;
  pool.use = use;
  countRunning(pool);
}

/** Tells the team how many instances run, after that may have changed: frozen and parked ones do not. */
export function countRunning(pool: Pool): void {
  if (!pool.use) return;
  const before = pool.counted;
  let running = 0;
  for (const { phase, runningSince } of pool.instances.values()) {
    if (phase === 'booting' || runningSince !== undefined) running += 1;
  }
  pool.counted = running;
  if (running !== before) pool.use.count(before, running);
}

export interface Joining {
  readonly id: InstanceId;
  readonly phase: Phase;
  readonly start: StartKind;
  readonly because: string;
  readonly replaces?: InstanceId;
  /** When the instance was made, if that was not now. */
  readonly createdAt?: number;
  /** 0 ≤ x < 1, drawn once: instances that began together are not recycled together. */
  readonly jitter?: number;
}

/** Takes an instance into the pool, as the youngest. */
export function join(pool: Pool, joining: Joining, now: number): PoolInstance {
  const runs = joining.phase === 'ready';
  const instance: PoolInstance = {
    id: joining.id,
    phase: joining.phase,
    start: joining.start,
    inFlight: 0,
    isSuspect: false,
    isReclaimed: false,
    hasServed: false,
    createdAt: joining.createdAt ?? now,
    ranMs: 0,
    runningSince: runs ? now : undefined,
    readyAt: now,
    jitter: joining.jitter ?? 0,
    idleSince: now,
    leavingSince: undefined,
    busyUntil: 0,
    lastEndAt: 0,
    lookedAt: 0,
    isHung: false,
    replaces: joining.replaces,
    because: joining.because,
  };
  pool.instances.set(instance.id, instance);
  countRunning(pool);
  return instance;
}

export type Arrival =
  | { readonly kind: 'leased'; readonly instanceId: InstanceId }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'queueFull' }
  /** No unit is free now, and it may not wake anything for one. */
  | { readonly kind: 'asleep' };

/**
 * A request arrives: it is served at once if nobody waits and a unit is free, else it waits. One that `mayWake` says no
 * to never waits: waiting is what starts and thaws instances.
 */
export function arrive(pool: Pool, requestId: RequestId, now: number, mayWake = true): Arrival {
  if (pool.waiting.size === 0) {
    const free = firstFree(pool);
    if (free) {
      free.inFlight += 1;
      return { kind: 'leased', instanceId: free.id };
    }
  }
  if (!mayWake) return { kind: 'asleep' };
  if (pool.waiting.size >= pool.bounds.maxWaiting) return { kind: 'queueFull' };
  pool.waiting.set(requestId, { at: now });
  return { kind: 'waiting' };
}

/** A waiting request went away; false when it was not waiting (any more). */
export function cancel(pool: Pool, requestId: RequestId): boolean {
  return pool.waiting.delete(requestId);
}

/** A lease ended, `served` well or not. An instance that is gone already is no error: its leases went with it. */
export function endLease(pool: Pool, instanceId: InstanceId, served: boolean, now: number): void {
  const instance = pool.instances.get(instanceId);
  if (!instance || instance.inFlight === 0) return;
  instance.inFlight -= 1;
  instance.lastEndAt = now;
  if (served) instance.hasServed = true;
  if (instance.inFlight === 0) instance.idleSince = now;
}

/** An instance finished booting or thawing. */
export function becameReady(pool: Pool, instanceId: InstanceId, now: number): void {
  const instance = pool.instances.get(instanceId);
  if (instance?.phase !== 'booting') return;
  instance.phase = 'ready';
  instance.hasServed = false;
  instance.readyAt = now;
  instance.idleSince = now;
  instance.runningSince = now;
}

/** A fresh instance that is ready follows the one it replaces, which takes no more leases. */
export function takeOver(
  pool: Pool,
  fresh: PoolInstance,
  replaced: PoolInstance,
  now: number,
): void {
  // Being replaced is no use of the app: idle time goes on, or an unused app would never come to rest.
  if (replaced.inFlight === 0) fresh.idleSince = replaced.idleSince;
  leave(pool, replaced.id, replaced.because, now);
}

/** An instance comes to rest: it stops counting as running. */
export function rest(pool: Pool, instanceId: InstanceId, because: string, now: number): void {
  const instance = pool.instances.get(instanceId);
  if (!instance) return;
  instance.ranMs = runningMs(instance, now);
  instance.runningSince = undefined;
  instance.isReclaimed = false;
  instance.phase = 'frozen';
  instance.because = because;
  countRunning(pool);
}

/**
 * An instance that was frozen a moment ago is wanted after all; false when it is not frozen. The caller thaws it. Its place
 * in the team's plan may be taken already: then there is one too many, which runs on as any other that does.
 */
export function wakeAgain(pool: Pool, instanceId: InstanceId): boolean {
  const instance = pool.instances.get(instanceId);
  if (instance?.phase !== 'frozen') return false;
  instance.phase = 'booting';
  instance.start = 'thawed';
  instance.because = 'said that it is busy';
  countRunning(pool);
  return true;
}

/** A connection to an instance broke. @returns whether it is to be looked at: false when that is under way already. */
export function suspect(pool: Pool, instanceId: InstanceId): boolean {
  const instance = pool.instances.get(instanceId);
  if (!instance || instance.isSuspect) return false;
  instance.isSuspect = true;
  return true;
}

/** An instance that was suspected lives. */
export function acquit(pool: Pool, instanceId: InstanceId): void {
  const instance = pool.instances.get(instanceId);
  if (instance) instance.isSuspect = false;
}

/** The pages of a frozen instance were given up; one that was woken meanwhile stays as it is. */
export function gaveUpPages(pool: Pool, instanceId: InstanceId, because: string): void {
  const instance = pool.instances.get(instanceId);
  if (instance?.phase !== 'frozen') return;
  instance.isReclaimed = true;
  instance.because = because;
}

/** An instance takes no more leases and will be stopped when the ones it has are over. */
export function leave(pool: Pool, instanceId: InstanceId, because: string, now: number): void {
  const instance = pool.instances.get(instanceId);
  if (!instance || instance.phase === 'leaving') return;
  instance.phase = 'leaving';
  instance.leavingSince = now;
  instance.because = because;
}

/** An instance answers nothing any more: it leaves, and what it holds is not waited for. */
export function hang(pool: Pool, instanceId: InstanceId, because: string, now: number): void {
  leave(pool, instanceId, because, now);
  const instance = pool.instances.get(instanceId);
  if (instance) instance.isHung = true;
}

/** A leaving instance was seen to have read something of what it holds, or nobody can tell. */
export function lookedAt(pool: Pool, instanceId: InstanceId, now: number): void {
  const instance = pool.instances.get(instanceId);
  if (instance) instance.lookedAt = now;
}

/** Failures in a row that are tried again at once, as long as they may be the platform's or bad luck. */
const FREE_RETRIES = 3;

/**
 * An instance is no more. One that ended while it was ready and before it served anything counts as a failure; the
 * first few of those do not hold the next start back.
 */
export function gone(pool: Pool, instanceId: InstanceId, now: number): void {
  const instance = pool.instances.get(instanceId);
  if (!instance) return;
  pool.instances.delete(instanceId);
  countRunning(pool);
  if (instance.phase !== 'ready') return;
  if (instance.hasServed || runningMs(instance, now) >= STABLE_AFTER_MS) {
    pool.failures = 0;
    pool.backoffUntil = 0;
  } else countFailure(pool, FREE_RETRIES, now);
}

/** A start failed and its instance is no more. The app's own failures hold the next start back from the first on. */
export function startFailed(
  pool: Pool,
  instanceId: InstanceId,
  fault: 'app' | 'engine',
  now: number,
): void {
  const start = pool.instances.get(instanceId)?.start;
  pool.instances.delete(instanceId);
  countRunning(pool);
  // What was made before and is of no use any more (somebody removed it) says nothing of those that are made anew.
  if (fault === 'engine' && (start === 'parked' || start === 'thawed')) return;
  countFailure(pool, fault === 'app' ? 0 : FREE_RETRIES, now);
}

/** Running time so far in ms, frozen time excluded. */
export function runningMs(instance: PoolInstance, now: number): number {
  return instance.ranMs + (instance.runningSince === undefined ? 0 : now - instance.runningSince);
}

/** Units in use on instances that still take leases. */
export function busyUnits(pool: Pool): number {
  let units = 0;
  for (const instance of pool.instances.values()) {
    if (instance.phase === 'ready') units += instance.inFlight;
  }
  return units;
}

/** The instance that the next request goes to: the oldest ready one with a free unit. */
export function firstFree(pool: Pool): PoolInstance | undefined {
  for (const instance of pool.instances.values()) {
    if (instance.phase !== 'ready' || instance.isSuspect) continue;
    if (instance.inFlight < pool.limits.maxConcurrentReqs) return instance;
  }
  return undefined;
}

/** Instances that serve or are about to. A replacement is no extra capacity while the one it replaces still counts. */
export function countCapacity(pool: Pool): number {
  let count = 0;
  for (const instance of pool.instances.values()) {
    if (instance.phase !== 'ready' && instance.phase !== 'booting') continue;
    const replaced =
      instance.replaces === undefined ? undefined : pool.instances.get(instance.replaces);
    if (instance.phase === 'booting' && replaced && replaced.phase !== 'leaving') continue;
    count += 1;
  }
  return count;
}

/**
 * Those that are too many for `scale.max`, which environments may have lowered: booting ones first, for they serve
 * nobody yet, then the youngest.
 */
export function beyondMax(pool: Pool): readonly InstanceId[] {
  const tooMany = countCapacity(pool) - pool.scale.max;
  if (tooMany <= 0) return [];
  const youngestFirst = [...pool.instances.values()].reverse();
  const booting = youngestFirst.filter(
    ({ phase, replaces }) => phase === 'booting' && replaces === undefined,
  );
  const ready = youngestFirst.filter(({ phase }) => phase === 'ready');
  return [...booting, ...ready].slice(0, tooMany).map(({ id }) => id);
}

function countFailure(pool: Pool, freeRetries: number, now: number): void {
  pool.failures += 1;
  if (pool.failures > freeRetries) pool.backoffUntil = now + backoffMs(pool.failures - freeRetries);
}
