/** Decides and does what of the logs of ended instances may go, so that a crashing app cannot fill the disk. */
import { rm, stat } from 'node:fs/promises';
import type { InstanceId } from '../core/model.ts';
import { instanceFile, instancesIn, isMissing } from './files.ts';

/** How much of the ended instances of one deployment is kept. */
export interface Retention {
  readonly maxFiles: number;
  readonly maxBytes: number;
}

export const DEFAULT_RETENTION: Retention = { maxFiles: 20, maxBytes: 50 * 1024 * 1024 };

interface EndedFile {
  readonly path: string;
  readonly bytes: number;
  /** When it was last written, in ms since the epoch. */
  readonly endedAt: number;
}

/**
 * Removes files of instances that are not in `keep`, oldest first, until what is left of those fits. The newest of them
 * always stays: it tells why the app crashed last.
 */
export async function pruneLogs(
  folder: string,
  keep: ReadonlySet<InstanceId>,
  { maxFiles, maxBytes }: Retention,
): Promise<void> {
  const ended = await endedIn(folder, keep);
  let keptBytes = 0;
  for (const [index, { path, bytes }] of ended.entries()) {
    keptBytes += bytes;
    if (index === 0 || (index < maxFiles && keptBytes <= maxBytes)) continue;
    await rm(path, { force: true });
  }
}

/** Newest first. */
async function endedIn(folder: string, keep: ReadonlySet<InstanceId>): Promise<EndedFile[]> {
  const files: EndedFile[] = [];
  for (const instanceId of await instancesIn(folder)) {
    if (keep.has(instanceId)) continue;
    const path = instanceFile(folder, instanceId);
    try {
      const { size, mtimeMs } = await stat(path);
      files.push({ path, bytes: size, endedAt: mtimeMs });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return files.toSorted((a, b) => b.endedAt - a.endedAt);
}
