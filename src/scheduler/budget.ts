/** Holds all resting instances together under the memory budget. */
import { demotionsDue, PARKED_BYTES } from '../core/idle.ts';
import type { DeploymentId } from '../core/model.ts';
import type { Context } from './context.ts';
import type { Runner } from './runner.ts';

/** Observes what the resting ones hold, decides, and steps some down; resolves when the orders were given. */
export async function keepBudget(
  context: Context,
  runners: ReadonlyMap<DeploymentId, Runner>,
): Promise<void> {
  const resting = [...runners.values()].flatMap((runner) => runner.resting());
  const held = await context.engine.memory(resting.map((instance) => instance.instanceId));
  const observed = resting.map((instance) => ({
    ...instance,
    heldBytes: instance.tier === 'parked' ? PARKED_BYTES : (held.get(instance.instanceId) ?? 0),
  }));
  for (const demotion of demotionsDue(observed, context.memoryBudgetBytes)) {
    runners.get(demotion.deploymentId)?.demote(demotion);
  }
}
