/** What those are told who get no lease. */
import { BerthError } from '../core/errors.ts';
import type { DeploymentId } from '../core/model.ts';
import type { Pool } from '../core/pool.ts';
import type { TeamUse } from '../core/quota.ts';
import type { Acquired } from '../ports/fleet.ts';

/** Too many wait already; for all the same: with its stack, an error of its own is the dearest part of a refusal. */
export function roomIsFull(pool: Pool, deploymentId: DeploymentId): Acquired {
  const detail = `${pool.bounds.maxWaiting} requests wait for ${deploymentId} already.`;
  return refuse(new BerthError('QUEUE_FULL', { detail, retryAfterSeconds: 1 }));
}

/** Starts keep failing; `failure` is why the last one did. */
export function backingOff(pool: Pool, failure: BerthError | undefined, now: number): BerthError {
  const retryAfterSeconds = Math.max(1, Math.ceil((pool.backoffUntil - now) / 1_000));
  const {
    code,
    detail: what,
    log,
  } = failure ?? new BerthError('BOOT_FAILED', { detail: 'The app stops soon after its start.' });
  const detail = `${what} Failures in a row: ${pool.failures}; the next try is in ${retryAfterSeconds} s.`;
  return new BerthError(code, { detail, retryAfterSeconds, log });
}

/** The longest wait is over. */
export function waitedTooLong(pool: Pool): BerthError {
  const seconds = pool.bounds.maxWaitMs / 1_000;
  if ([...pool.instances.values()].some((instance) => instance.phase === 'booting')) {
    const detail = `No instance was ready within ${seconds} s.`;
    return new BerthError('BOOT_TIMEOUT', { detail, retryAfterSeconds: 1 });
  }
  const detail = `All ${pool.scale.max} instances were busy for ${seconds} s.`;
  return new BerthError('QUEUE_FULL', { detail, retryAfterSeconds: 1 });
}

/** One for each team: a refusal has to cost less than what it refuses. */
const refusals = new WeakMap<TeamUse, { readonly text: string; readonly answer: Acquired }>();

/** What a request gets that the plan of its team has no room for. */
export function tooManyRequests(use: TeamUse): Acquired {
  const text = `The plan ${use.plan} of team ${use.team} allows ${use.quota.requests} at once.`;
  const known = refusals.get(use);
  if (known?.text === text) return known.answer;
  const answer = refuse(new BerthError('QUOTA_REQUESTS', { detail: text, retryAfterSeconds: 1 }));
  refusals.set(use, { text, answer });
  return answer;
}

/** What those get who wait for an instance that the plan does not allow. */
export function noInstanceLeft(use: TeamUse | undefined): BerthError {
  const detail = `The plan ${use?.plan} of team ${use?.team} allows ${use?.quota.instances} running at once, and all are in use.`;
  return new BerthError('QUOTA_INSTANCES', { detail, retryAfterSeconds: 5 });
}

/** The answer to somebody who asked for a lease. */
export function refuse(error: BerthError): Acquired {
  return { kind: 'refused', error };
}

/** One for all: what scanners get has to cost less than what they send. */
export const ASLEEP = refuse(
  new BerthError('ASLEEP', {
    detail:
      'No instance is awake and free, and the `wake` rules keep this request from waking one.',
    retryAfterSeconds: 60,
  }),
);
