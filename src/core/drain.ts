/** How an instance that takes no more leases comes to its end. */
import { isBusy } from './busy.ts';
import type { InstanceId } from './model.ts';
import type { Pool } from './pool.ts';

export interface DrainsDue {
  /** These hold no lease any more, nor are they busy by their own word: stop them. */
  readonly stop: readonly InstanceId[];
  /** These have had `limits.duration` to finish, or do not answer any more: their leases are lost, then stop them. */
  readonly force: readonly InstanceId[];
  /** These have finished nothing for a while: see whether they read what was sent to them. */
  readonly look: readonly InstanceId[];
  /** When the next one is due, ms since the epoch. */
  readonly lookAgainAt: number | undefined;
}

/**
 * How long an instance that leaves may finish nothing before it is seen whether it reads its requests at all, in ms:
 * an app that blocks would keep them until their deadline, though others could serve them.
 */
const STILL_MS = 1_000;

/** Leaving instances that something is to be done with now. Every lease may run to its own `limits.duration`. */
export function drainsDue(pool: Pool, now: number): DrainsDue {
  const stop: InstanceId[] = [];
  const force: InstanceId[] = [];
  const look: InstanceId[] = [];
  let lookAgainAt = Infinity;
  for (const instance of pool.instances.values()) {
    if (instance.phase !== 'leaving' || instance.leavingSince === undefined) continue;
    const patienceMs = instance.isHung ? 0 : pool.limits.durationMs;
    const deadline = instance.leavingSince + patienceMs;
    const stillSince = Math.max(instance.leavingSince, instance.lastEndAt, instance.lookedAt);
    const lookAt = stillSince + STILL_MS;
    const isIdle = instance.inFlight === 0;
    if (isIdle && !isBusy(instance, now)) stop.push(instance.id);
    else if (now >= deadline) force.push(instance.id);
    else if (isBusy(instance, now)) {
      lookAgainAt = Math.min(lookAgainAt, deadline, instance.busyUntil);
    } else {
      if (now >= lookAt) look.push(instance.id);
      lookAgainAt = Math.min(lookAgainAt, deadline, now >= lookAt ? now + STILL_MS : lookAt);
    }
  }
  return { stop, force, look, lookAgainAt: lookAgainAt === Infinity ? undefined : lookAgainAt };
}
