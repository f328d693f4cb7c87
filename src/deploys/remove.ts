/** Removing a deployment: its instances, its row, then whatever nothing else uses. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../core/model.ts';
import type { DeploysNeeds } from './needs.ts';
import { why } from './why.ts';

/**
 * Its image is left to `sweepImages`, which knows what else runs it. The row goes as soon as no instance is left; what a crash or a refusal of the engine leaves behind after that is cleared by
 * the sweep of the next start. Its files stay until the sweep of blobs, for they may be deployed again soon. Idempotent.
 */
export async function removeDeployment(needs: DeploysNeeds, deployment: Deployment): Promise<void> {
  const { id, project } = deployment;
  needs.directory.forget(id);
  await needs.fleet.remove(id);
  await needs.builder.discard(id);
  await needs.store.deleteDeployment(id);
  const rest: readonly (readonly [what: string, remove: () => Promise<void>])[] = [
    ['network', () => removeNetwork(needs, project)],
    ['logs', () => needs.logs.remove(id)],
    ['folder', () => rm(join(needs.buildsFolder, id), { recursive: true, force: true })],
  ];
  for (const [what, remove] of rest) {
    try {
      await remove();
    } catch (error) {
      // The sweep of the next start tries again.
      needs.reporter.report('warn', `${what}.left`, { id, error: why(error) });
    }
  }
}

async function removeNetwork({ store, engine }: DeploysNeeds, project: string): Promise<void> {
  if ((await store.deployments({ project })).length === 0) await engine.removeNetwork(project);
}
