/** Clearing what no deployment needs: only what the ledger or our own folders name is ever removed. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../core/model.ts';
import { readManifest } from './manifests.ts';
import type { DeploysNeeds } from './needs.ts';
import { why } from './why.ts';

/** An upload may take its time between its first blob and its deploy. */
const BLOB_IDLE_MS = 60 * 60 * 1000;

/** What a crash in mid-removal or mid-build left behind: images, build folders. */
export async function sweepLeftovers(needs: DeploysNeeds): Promise<void> {
  const { store, engine, builder, buildsFolder, reporter } = needs;
  const deployments = await store.deployments();
  const ids = new Set(deployments.map((deployment) => deployment.id));
  const imageIds = new Set(deployments.map((deployment) => deployment.image?.id));

  for (const entry of await store.ledger('image')) {
    const isOwned = entry.deploymentId !== undefined && ids.has(entry.deploymentId);
    if (isOwned || imageIds.has(entry.id)) continue;
    try {
      await engine.removeImage(entry.id);
      await store.forget('image', entry.id);
      reporter.report('info', 'image.swept', { image: entry.id });
    } catch (error) {
      reporter.report('warn', 'image.left', { image: entry.id, error: why(error) });
    }
  }

  for (const id of await namesIn(buildsFolder)) {
    if (ids.has(id)) continue;
    await builder.discard(id);
    await rm(join(buildsFolder, id), { recursive: true, force: true });
    reporter.report('info', 'build.swept', { id });
  }
}

/** Removes the blobs that no deployment's folder has and no upload used lately. */
export async function sweepBlobs({ store, blobs, reporter }: DeploysNeeds): Promise<void> {
  const kept = new Set<string>();
  for (const deployment of await store.deployments()) {
    for (const sha256 of await blobsOf(deployment, { blobs, reporter })) kept.add(sha256);
  }
  const removed = await blobs.sweep(kept, BLOB_IDLE_MS);
  if (removed > 0) reporter.report('info', 'blobs.swept', { blobs: removed });
}

async function blobsOf(
  { id, source }: Deployment,
  { blobs, reporter }: Pick<DeploysNeeds, 'blobs' | 'reporter'>,
): Promise<readonly string[]> {
  if (source.kind !== 'folder') return [];
  try {
    const manifest = await readManifest(blobs, source.manifest);
    const files = manifest.filter((entry) => entry.kind === 'file');
    return [source.manifest, ...files.map((file) => file.sha256)];
  } catch (error) {
    // Without its manifest a deployment cannot be built again: its image is all there is, and that stays.
    reporter.report('warn', 'manifest.unreadable', { id, error: why(error) });
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
