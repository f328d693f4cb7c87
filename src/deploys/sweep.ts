/** Clearing what no deployment needs: only what the ledger or our own folders name is ever removed. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Deployment } from '../core/model.ts';
import type { Engine } from '../ports/engine.ts';
import { readManifest } from './manifests.ts';
import type { DeploysNeeds } from './needs.ts';
import { why } from './why.ts';

/** An upload may take its time between its first blob and its deploy. */
const BLOB_IDLE_MS = 60 * 60 * 1000;

/** Removes images that Berth built and no deployment runs; one that the engine still needs stays in the ledger. */
export async function sweepImages({ store, engine, reporter }: DeploysNeeds): Promise<void> {
  const deployments = await store.deployments();
  const ids = new Set(deployments.map(({ id }) => id));
  const used = new Set(deployments.map(({ image }) => image?.id));
  for (const { id, deploymentId } of await store.ledger('image')) {
    // A row may be one write behind the ledger: what was built for it is not yet in it.
    const isOwned = deploymentId !== undefined && ids.has(deploymentId);
    if (isOwned || used.has(id)) continue;
    try {
      await engine.removeImage(id);
      if (await isThere(engine, id)) continue;
      await store.forget('image', id);
      reporter.report('info', 'image.removed', { image: id });
    } catch (error) {
      reporter.report('warn', 'image.left', { image: id, error: why(error) });
    }
  }
}

/** Removes the folders of builds that no deployment has: a crash in mid-removal left them. */
export async function sweepBuilds(needs: DeploysNeeds): Promise<void> {
  const { store, builder, buildsFolder, reporter } = needs;
  const ids = new Set((await store.deployments()).map(({ id }) => id));
  for (const id of await namesIn(buildsFolder)) {
    if (ids.has(id)) continue;
    await builder.discard(id);
    await rm(join(buildsFolder, id), { recursive: true, force: true });
    reporter.report('info', 'build.removed', { id });
  }
}

/** Whether the engine has an image of this id. */
export async function isThere(engine: Engine, imageId: string): Promise<boolean> {
  try {
    await engine.image(imageId);
    return true;
  } catch (error) {
    if (error instanceof BerthError && error.code === 'IMAGE_NOT_FOUND') return false;
    throw error;
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
