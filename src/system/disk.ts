/** How much room there is on the file systems that Berth writes to. */
import { statfs } from 'node:fs/promises';
import type { DiskSpace } from '../core/disk.ts';

/** The one of them with the least room. Paths that do not exist do not count. */
export async function leastSpace(paths: readonly string[]): Promise<DiskSpace> {
  let least: DiskSpace | undefined;
  for (const path of paths) {
    const found = await statfs(path).catch(() => undefined);
    if (!found) continue;
    // `bavail`, not `bfree`: what is kept back for root is not for us.
    const space = { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
    if (!least || space.freeBytes < least.freeBytes) least = space;
  }
  return least ?? { freeBytes: Number.POSITIVE_INFINITY, totalBytes: 0 };
}
