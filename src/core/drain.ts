/** How an instance that takes no more leases comes to its end. */
import type { InstanceId } from './model.ts';
import type { Pool } from './pool.ts';

export interface DrainsDue {
  /** These hold no lease any more: stop them. */
  readonly stop: readonly InstanceId[];
  /** These have had `limits.duration` to finish: their leases are lost, then stop them. */
  readonly force: readonly InstanceId[];
  /** When the next one is to be forced, ms since the epoch. */
  readonly lookAgainAt: number | undefined;
}

/** Leaving instances that may be stopped now. Every lease may run to its own `limits.duration`. */
export function drainsDue(pool: Pool, now: number): DrainsDue {
  const stop: InstanceId[] = [];
  const force: InstanceId[] = [];
  let lookAgainAt: number | undefined;
  for (const instance of pool.instances.values()) {
    if (instance.phase !== 'leaving' || instance.leavingSince === undefined) continue;
    const deadline = instance.leavingSince + pool.limits.durationMs;
    if (instance.inFlight === 0) stop.push(instance.id);
    else if (now >= deadline) force.push(instance.id);
    else lookAgainAt = Math.min(lookAgainAt ?? deadline, deadline);
  }
  return { stop, force, lookAgainAt };
}
