/** Clearing what no deployment needs: only what the ledger or our own folders name is ever removed. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Engine } from '../ports/engine.ts';
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
export async function sweepBlobs({ store, folders, reporter }: DeploysNeeds): Promise<void> {
  const sources = (await store.deployments()).map(({ source }) => source);
  const manifests = sources.flatMap((source) =>
    source.kind === 'folder' ? [source.manifest] : [],
  );
  const removed = await folders.sweep(manifests, BLOB_IDLE_MS);
  if (removed > 0) reporter.report('info', 'blobs.removed', { blobs: removed });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
