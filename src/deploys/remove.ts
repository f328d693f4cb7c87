/** Removing a deployment: its instances, its row, then whatever nothing else uses. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../core/model.ts';
import type { DeploysNeeds } from './needs.ts';
import { why } from './why.ts';

/**
 * The row goes as soon as no instance is left; what a crash or a refusal of the engine leaves behind after that is cleared by
 * the sweep of the next start. Its files stay until the sweep of blobs, for they may be deployed again soon. Idempotent.
 */
export async function removeDeployment(needs: DeploysNeeds, deployment: Deployment): Promise<void> {
  const { id, project } = deployment;
  needs.directory.forget(id);
  await needs.fleet.remove(id);
  await needs.builder.discard(id);
  await needs.store.deleteDeployment(id);
  const rest: readonly (readonly [what: string, remove: () => Promise<void>])[] = [
    ['image', () => removeImage(needs, deployment)],
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

/** Only an image that Berth built, and that no other deployment runs. */
async function removeImage({ store, engine }: DeploysNeeds, { image }: Deployment): Promise<void> {
  if (!image) return;
  const isOurs = (await store.ledger('image')).some((entry) => entry.id === image.id);
  const isUsed = (await store.deployments()).some((other) => other.image?.id === image.id);
  if (!isOurs || isUsed) return;
  await engine.removeImage(image.id);
  await store.forget('image', image.id);
}

async function removeNetwork({ store, engine }: DeploysNeeds, project: string): Promise<void> {
  if ((await store.deployments({ project })).length === 0) await engine.removeNetwork(project);
}
