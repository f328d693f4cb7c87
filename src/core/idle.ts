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

/** Instances whose last lease, busy leases included, ended `timeout` ago or longer; the oldest `scale.min` are kept running. */
export function restsDue(pool: Pool, idle: IdleRest, now: number): RestsDue {
  const rests: Rest[] = [];
  let lookAgainAt: number | undefined;
  let mayRest = countReady(pool) - pool.scale.min;
  for (const instance of [...pool.instances.values()].reverse()) {
    if (mayRest <= 0) break;
    if (instance.phase !== 'ready' || instance.inFlight > 0) continue;
    const dueAt = Math.max(instance.idleSince, instance.busyUntil) + pool.limits.timeoutMs;
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

/** The tiers of rest, from the quickest to wake to the one that holds nothing. */
export type Tier = 'frozen' | 'reclaimed' | 'parked' | 'gone';

/** An instance at rest, as the memory budget sees it. */
export interface Resting {
  readonly instanceId: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly tier: Exclude<Tier, 'gone'>;
  readonly heldBytes: number;
  /** ms since the epoch. */
  readonly lastUsedAt: number;
  /** The deployment has another one at rest that is kept longer. */
  readonly isExtra: boolean;
}

export interface Demotion {
  readonly instanceId: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly to: Exclude<Tier, 'frozen'>;
  readonly because: string;
}

/** What a parked container is reckoned to hold, in bytes: up to 2.7 MB by measurement, and its conmon. */
export const PARKED_BYTES = 4 * 1024 * 1024;

/** Of what a frozen instance held, this much is left once its pages are compressed: 0.24–0.33 by measurement. */
const RECLAIMED_SHARE = 0.33;

/**
 * Which resting instances step down so that all of them together fit the budget. In each round the least recently
 * used goes first, and none goes further than the budget asks:
 *
 * | round | who                          | from                | to        |
 * |-------|------------------------------|---------------------|-----------|
 * | 1, 2  | spares, then the last ones   | frozen              | reclaimed |
 * | 3, 4  | spares                       | frozen or reclaimed | parked, gone |
 * | 5, 6  | every deployment's last one  | frozen or reclaimed | parked, gone |
 *
 * Rounds 1 and 2 only where the host can take pages (`canReclaim`): that costs a wake-up milliseconds, all else a boot.
 */
export function demotionsDue(
  resting: readonly Resting[],
  budgetBytes: number,
  canReclaim: boolean,
): readonly Demotion[] {
  const oldestFirst = [...resting].sort((a, b) => a.lastUsedAt - b.lastUsedAt);
  const steps = oldestFirst.map((one) => ({ one, tier: one.tier as Tier, held: one.heldBytes }));
  const wantedBytes = steps.reduce((sum, step) => sum + step.held, 0);
  let total = wantedBytes;

  for (const round of ROUNDS) {
    if (round.to === 'reclaimed' && !canReclaim) continue;
    for (const step of steps) {
      if (total <= budgetBytes) break;
      if (step.one.isExtra !== round.isExtra || !round.from.includes(step.tier)) continue;
      const held = heldAfter(round.to, step.held);
      total -= step.held - held;
      step.tier = round.to;
      step.held = held;
    }
  }

  const because = `resting instances hold ${mebibytes(wantedBytes)} MiB and may hold ${mebibytes(budgetBytes)}; this one was used least recently`;
  return steps.flatMap(({ one, tier }) => {
    if (tier === one.tier || tier === 'frozen') return [];
    return [{ instanceId: one.instanceId, deploymentId: one.deploymentId, to: tier, because }];
  });
}

interface Round {
  readonly isExtra: boolean;
  readonly from: readonly Tier[];
  readonly to: Exclude<Tier, 'frozen'>;
}

const ROUNDS: readonly Round[] = [
  { isExtra: true, from: ['frozen'], to: 'reclaimed' },
  { isExtra: false, from: ['frozen'], to: 'reclaimed' },
  { isExtra: true, from: ['frozen', 'reclaimed'], to: 'parked' },
  { isExtra: true, from: ['parked'], to: 'gone' },
  { isExtra: false, from: ['frozen', 'reclaimed'], to: 'parked' },
  { isExtra: false, from: ['parked'], to: 'gone' },
];

function heldAfter(to: Tier, held: number): number {
  if (to === 'reclaimed') return held * RECLAIMED_SHARE;
  return to === 'parked' ? Math.min(held, PARKED_BYTES) : 0;
}

/**
 * What resting instances may hold when the host itself is short of memory: as much less as is missing to `reserveBytes`
 * of available memory. With enough available it is the budget.
 */
export function budgetUnderPressure(observed: {
  readonly budgetBytes: number;
  readonly heldBytes: number;
  readonly availableBytes: number;
  readonly reserveBytes: number;
}): number {
  const { budgetBytes, heldBytes, availableBytes, reserveBytes } = observed;
  const missing = reserveBytes - availableBytes;
  return missing <= 0 ? budgetBytes : Math.max(0, Math.min(budgetBytes, heldBytes - missing));
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

function countReady(pool: Pool): number {
  let count = 0;
  for (const instance of pool.instances.values()) {
    if (instance.phase === 'ready') count += 1;
  }
  return count;
}
