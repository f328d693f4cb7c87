/** When an instance that runs but does not answer well on its health path is given up, and when one stands so still that it is looked at. */
import type { InstanceId } from './model.ts';
import type { Pool } from './pool.ts';

/** Between two looks at an instance that runs, in ms. */
export const HEALTH_EVERY_MS = 10_000;
/** How long an answer may take, in ms. */
export const HEALTH_ANSWER_MS = 5_000;
/** Bad answers in a row after which an instance is given up: one may be bad luck, or a long pause of its own. */
const PATIENCE = 3;

/** 2xx and 3xx are well; undefined is no answer. */
export function isWell(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 400;
}

export interface Health {
  /** Bad answers in a row. */
  readonly failures: number;
  readonly isGivenUp: boolean;
}

/** What one more answer means after so many bad ones in a row. */
export function judge(failures: number, status: number | undefined): Health {
  const next = isWell(status) ? 0 : failures + 1;
  return { failures: next, isGivenUp: next >= PATIENCE };
}

/** A lease that ends within this time is nothing to wonder about, in ms. */
export const STILL_EVERY_MS = 1_000;
/** After this time of standing still only every tenth look counts: long requests and idle WebSockets are no fault. */
const LONG_STILL_MS = 10_000;

/** Instances that hold leases and have finished none for a while: they work on something long, or somebody froze them. */
export function standingStill(pool: Pool, now: number): readonly InstanceId[] {
  const still: InstanceId[] = [];
  for (const instance of pool.instances.values()) {
    if (instance.inFlight === 0) continue;
    if (instance.phase !== 'ready' && instance.phase !== 'leaving') continue;
    const stillMs = now - Math.max(instance.lastEndAt, instance.readyAt);
    const looks = Math.floor(stillMs / STILL_EVERY_MS);
    if (looks > 0 && (stillMs < LONG_STILL_MS || looks % 10 === 0)) still.push(instance.id);
  }
  return still;
}
