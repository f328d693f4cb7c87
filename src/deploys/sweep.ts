/** Clearing what no deployment needs: only what the ledger or our own folders name is ever removed. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../core/model.ts';
import { readManifest } from './manifests.ts';
import type { DeploysNeeds } from './needs.ts';

/** An upload may take its time between its first blob and its deploy. */
const BLOB_IDLE_MS = 60 * 60 * 1000;

/** What a crash in mid-removal or mid-build left behind: images, build folders. */
export async function sweepLeftovers(needs: DeploysNeeds): Promise<void> {
  const { store, engine, builder, buildsFolder, report } = needs;
  const deployments = await store.deployments();
  const ids = new Set(deployments.map((deployment) => deployment.id));
  const imageIds = new Set(deployments.map((deployment) => deployment.image?.id));

  for (const entry of await store.ledger('image')) {
    const isOwned = entry.deploymentId !== undefined && ids.has(entry.deploymentId);
    if (isOwned || imageIds.has(entry.id)) continue;
    try {
      await engine.removeImage(entry.id);
      await store.forget('image', entry.id);
      report('removed an image that no deployment uses', { image: entry.id });
    } catch (error) {
      report('an image that no deployment uses could not be removed', { image: entry.id, error });
    }
  }

  for (const id of await namesIn(buildsFolder)) {
    if (ids.has(id)) continue;
    await builder.discard(id);
    await rm(join(buildsFolder, id), { recursive: true, force: true });
    report('removed the folder of a build that no deployment has', { id });
  }
}

/** Removes the blobs that no deployment's folder has and no upload used lately. */
export async function sweepBlobs({ store, blobs, report }: DeploysNeeds): Promise<void> {
  const kept = new Set<string>();
  for (const deployment of await store.deployments()) {
    for (const sha256 of await blobsOf(deployment, { blobs, report })) kept.add(sha256);
  }
  const removed = await blobs.sweep(kept, BLOB_IDLE_MS);
  if (removed > 0) report('removed blobs that no deployment has', { blobs: removed });
}

async function blobsOf(
  { id, source }: Deployment,
  { blobs, report }: Pick<DeploysNeeds, 'blobs' | 'report'>,
): Promise<readonly string[]> {
  if (source.kind !== 'folder') return [];
  try {
    const manifest = await readManifest(blobs, source.manifest);
    const files = manifest.filter((entry) => entry.kind === 'file');
    return [source.manifest, ...files.map((file) => file.sha256)];
  } catch (error) {
    // Without its manifest a deployment cannot be built again: its image is all there is, and that stays.
    report('the manifest of a deployment cannot be read', { id, error });
    return [source.manifest];
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
