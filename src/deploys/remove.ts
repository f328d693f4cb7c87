/** Removing a deployment: its instances, its row, then whatever nothing else uses. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../core/model.ts';
import type { DeploysNeeds } from './needs.ts';
import { why } from './why.ts';

/**
 * Its image, its layers and the network of its project are left to clean-up, which knows what else uses them. The row
 * goes as soon as no instance is left; what a crash or a refusal of the engine leaves behind after that is cleared by the
 * next clean-up. Its files stay for a while, for they may be deployed again soon. Idempotent.
 */
export async function removeDeployment(needs: DeploysNeeds, deployment: Deployment): Promise<void> {
  const { id } = deployment;
  needs.directory.forget(id);
  await needs.fleet.remove(id);
  await needs.builder.discard(id);
  await needs.store.deleteDeployment(id);
  const rest: readonly (readonly [what: string, remove: () => Promise<void>])[] = [
    ['logs', () => needs.logs.remove(id)],
    ['folder', () => rm(join(needs.buildsFolder, id), { recursive: true, force: true })],
  ];
  for (const [what, remove] of rest) {
    try {
      await remove();
    } catch (error) {
      // The next clean-up tries again.
      needs.reporter.report('warn', `${what}.left`, { id, error: why(error) });
    }
  }
}
