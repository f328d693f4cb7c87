/** Holds all resting instances together under the memory budget, or under less when the host is short of memory. */
import { budgetUnderPressure, demotionsDue, PARKED_BYTES } from '../core/idle.ts';
import type { Context } from './context.ts';
import type { Runners } from './runners.ts';

/**
 * Observes what the resting ones hold, decides, and steps some down.
 *
 * @returns how many rest, so that the caller knows whether to look again.
 */
export async function keepBudget(context: Context, runners: Runners): Promise<number> {
  const { engine, hostMemory, memoryBudgetBytes, reserveBytes } = context;
  const resting = [...runners.values()].flatMap((runner) => runner.resting());
  if (resting.length === 0) return 0;
  const held = await engine.memory(resting.map((instance) => instance.instanceId));
  const observed = resting.map((instance) => ({
    ...instance,
    heldBytes: instance.tier === 'parked' ? PARKED_BYTES : (held.get(instance.instanceId) ?? 0),
  }));
  const { availableBytes, hasSwap } = await hostMemory.observe();
  const budgetBytes = budgetUnderPressure({
    budgetBytes: memoryBudgetBytes,
    heldBytes: observed.reduce((sum, one) => sum + one.heldBytes, 0),
    availableBytes,
    reserveBytes,
  });
  const canReclaim = hasSwap && engine.reclaim !== undefined;
  for (const demotion of demotionsDue(observed, budgetBytes, canReclaim)) {
    runners.made(demotion.deploymentId)?.demote(demotion);
  }
  return resting.length;
}
