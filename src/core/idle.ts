/** When an instance without a lease comes to rest, and which resting ones give up their memory first. */
import type { DeploymentId, IdleRest, InstanceId } from './model.ts';
import type { Pool, PoolInstance } from './pool.ts';

export interface Rest {
  readonly instanceId: InstanceId;
  readonly how: 'freeze' | 'stop';
  readonly because: string;
}

export interface RestsDue {
  readonly rests: readonly Rest[];
  /** When the next one may be due, ms since the epoch. */
  readonly lookAgainAt: number | undefined;
}

/** Instances whose last lease ended `timeout` ago or longer; the oldest `scale.min` are kept running. */
export function restsDue(pool: Pool, idle: IdleRest, now: number): RestsDue {
  const rests: Rest[] = [];
  let lookAgainAt: number | undefined;
  let mayRest = countReady(pool) - pool.scale.min;
  for (const instance of [...pool.instances.values()].reverse()) {
    if (mayRest <= 0) break;
    if (instance.phase !== 'ready' || instance.inFlight > 0) continue;
    const dueAt = instance.idleSince + pool.limits.timeoutMs;
    if (now < dueAt) {
      lookAgainAt = Math.min(lookAgainAt ?? dueAt, dueAt);
      continue;
    }
    mayRest -= 1;
    rests.push({
      instanceId: instance.id,
      how: idle === 'stop' ? 'stop' : 'freeze',
      because: `no lease for limits.timeout (${pool.limits.timeoutMs / 1_000} s)`,
    });
  }
  return { rests, lookAgainAt };
}

/** Of several resting instances of a deployment, the one kept longest: the oldest frozen one, else the oldest parked one. */
export function firstResting(pool: Pool): PoolInstance | undefined {
  let parked: PoolInstance | undefined;
  for (const instance of pool.instances.values()) {
    if (instance.phase === 'frozen') return instance;
    if (instance.phase === 'parked') parked ??= instance;
  }
  return parked;
}

/** An instance at rest, as the memory budget sees it. */
export interface Resting {
  readonly instanceId: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly tier: 'frozen' | 'parked';
  readonly heldBytes: number;
  /** ms since the epoch. */
  readonly lastUsedAt: number;
  /** The deployment has another one at rest that is kept longer. */
  readonly isExtra: boolean;
}

export interface Demotion {
  readonly instanceId: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly to: 'parked' | 'gone';
  readonly because: string;
}

/** What a parked container is reckoned to hold, in bytes: up to 2.7 MB by measurement, and its conmon. */
export const PARKED_BYTES = 4 * 1024 * 1024;

/**
 * Which resting instances step down so that all of them together fit the budget. In each round the least recently
 * used goes first: extras to parked, extras to nothing, then every deployment's last one to parked, at last to
 * nothing (the image alone). An instance steps at most to where the budget holds.
 */
export function demotionsDue(
  resting: readonly Resting[],
  budgetBytes: number,
): readonly Demotion[] {
  const held = new Map(resting.map((one) => [one.instanceId, one.heldBytes]));
  const tier = new Map<InstanceId, Resting['tier'] | 'gone'>(
    resting.map((one) => [one.instanceId, one.tier]),
  );
  let total = resting.reduce((sum, one) => sum + one.heldBytes, 0);
  const oldestFirst = [...resting].sort((a, b) => a.lastUsedAt - b.lastUsedAt);

  const rounds = [
    { isExtra: true, from: 'frozen', to: 'parked' },
    { isExtra: true, from: 'parked', to: 'gone' },
    { isExtra: false, from: 'frozen', to: 'parked' },
    { isExtra: false, from: 'parked', to: 'gone' },
  ] as const;
  for (const round of rounds) {
    for (const one of oldestFirst) {
      if (total <= budgetBytes) break;
      if (one.isExtra !== round.isExtra || tier.get(one.instanceId) !== round.from) continue;
      const before = held.get(one.instanceId) ?? 0;
      const after = round.to === 'gone' ? 0 : Math.min(before, PARKED_BYTES);
      held.set(one.instanceId, after);
      tier.set(one.instanceId, round.to);
      total -= before - after;
    }
  }

  const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
  const wanted = mebibytes(resting.reduce((sum, one) => sum + one.heldBytes, 0));
  const demotions: Demotion[] = [];
  for (const one of oldestFirst) {
    const to = tier.get(one.instanceId);
    if (to === undefined || to === 'frozen' || to === one.tier) continue;
    demotions.push({
      instanceId: one.instanceId,
      deploymentId: one.deploymentId,
      to,
      because: `resting instances hold ${wanted} MiB, the budget is ${mebibytes(budgetBytes)} MiB, and this one was used least recently`,
    });
  }
  return demotions;
}

function countReady(pool: Pool): number {
  let count = 0;
  for (const instance of pool.instances.values()) {
    if (instance.phase === 'ready') count += 1;
  }
  return count;
}
