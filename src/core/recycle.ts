/** When an instance has run long enough to be replaced by a fresh one. */
import { firstResting } from './idle.ts';
import type { InstanceId } from './model.ts';
import { busyUnits, type Pool, type PoolInstance, runningMs } from './pool.ts';

export interface Recycle {
  readonly instanceId: InstanceId;
  /**
   * `replace`: boot another one first, then let this one leave. `leave`: the others carry the load.
   * `park`: a frozen spare gives way to a parked one.
   */
  readonly how: 'replace' | 'leave' | 'park';
  readonly because: string;
}

export interface RecyclesDue {
  readonly recycles: readonly Recycle[];
  /** When the next one may be due, ms since the epoch. */
  readonly lookAgainAt: number | undefined;
}

/** By so much of `limits.duration` at most an instance is recycled early. */
const JITTER_SHARE = 0.1;

/** How soon one that waits for its turn to be replaced is looked at again, in ms. */
const TURN_LOOK_MS = 1_000;

/**
 * Instances whose running time has reached `limits.duration`; frozen time does not count.
 *
 * | instance                         | then    |
 * |----------------------------------|---------|
 * | ready, the others carry the load | leave   |
 * | ready, needed                    | replace |
 * | frozen, the one kept longest     | replace |
 * | frozen, a spare                  | park    |
 *
 * One replacement at a time, none while the deployment backs off from failed starts.
 */
export function recyclesDue(pool: Pool, now: number): RecyclesDue {
  const recycles: Recycle[] = [];
  let lookAgainAt: number | undefined;
  let isReplacing = now < pool.backoffUntil;
  for (const instance of pool.instances.values()) {
    if (instance.replaces !== undefined && pool.instances.has(instance.replaces))
      isReplacing = true;
  }
  const keptLongest = firstResting(pool);
  let ready = [...pool.instances.values()].filter((instance) => instance.phase === 'ready').length;

  for (const instance of pool.instances.values()) {
    if (instance.phase !== 'ready' && instance.phase !== 'frozen') continue;
    const ageMs = pool.limits.durationMs * (1 - JITTER_SHARE * instance.jitter);
    const remainingMs = ageMs - runningMs(instance, now);
    // Less than a millisecond is no time to wait for: rounding could make it none at all.
    if (remainingMs >= 1) {
      if (instance.phase === 'ready')
        lookAgainAt = Math.min(lookAgainAt ?? Infinity, now + remainingMs);
      continue;
    }
    const because = `ran for limits.duration (${pool.limits.durationMs / 1_000} s)`;
    const how = howToRecycle(pool, instance, keptLongest, ready);
    if (how === 'replace') {
      if (isReplacing) {
        // Nobody says when another one has left: without a look of its own this one might run for ever.
        const turnAt = now < pool.backoffUntil ? pool.backoffUntil : now + TURN_LOOK_MS;
        lookAgainAt = Math.min(lookAgainAt ?? Infinity, turnAt);
        continue;
      }
      isReplacing = true;
    }
    if (how === 'leave') ready -= 1;
    recycles.push({ instanceId: instance.id, how, because });
  }
  return { recycles, lookAgainAt };
}

function howToRecycle(
  pool: Pool,
  instance: PoolInstance,
  keptLongest: PoolInstance | undefined,
  ready: number,
): Recycle['how'] {
  if (instance.phase === 'frozen') return instance === keptLongest ? 'replace' : 'park';
  const needed = Math.max(
    1,
    pool.scale.min,
    Math.ceil(busyUnits(pool) / pool.limits.maxConcurrentReqs),
  );
  return ready - 1 >= needed && pool.waiting.size === 0 ? 'leave' : 'replace';
}
