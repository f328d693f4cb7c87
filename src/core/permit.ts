/** Who may boot next when more deployments want to boot than the machine has cores for. */
import type { DeploymentId } from './model.ts';

export interface BootRequest {
  readonly deploymentId: DeploymentId;
  /** Order of arrival. */
  readonly sequence: number;
}

/**
 * The next boot to allow: of the deployments that wait, the one with the fewest boots under way, then the one that
 * came first. So a burst of one deployment cannot keep another's first request waiting behind it.
 *
 * @returns undefined when nothing waits or `running` has reached `cap`.
 */
export function nextPermit(
  waiting: readonly BootRequest[],
  running: ReadonlyMap<DeploymentId, number>,
  cap: number,
): BootRequest | undefined {
  let total = 0;
  for (const count of running.values()) total += count;
  if (total >= cap) return undefined;
  let best: BootRequest | undefined;
  let bestRunning = Number.POSITIVE_INFINITY;
  for (const request of waiting) {
    const count = running.get(request.deploymentId) ?? 0;
    if (
      count < bestRunning ||
      (count === bestRunning && best && request.sequence < best.sequence)
    ) {
      best = request;
      bestRunning = count;
    }
  }
  return best;
}
