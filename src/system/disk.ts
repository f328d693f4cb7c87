/** How much room there is on the file systems that Berth writes to. */
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskSpace } from '../core/disk.ts';

/** Each file system once, in the order of the paths. A path that is not there yet stands for the folder it will be in. */
export async function diskSpaces(paths: readonly string[]): Promise<readonly DiskSpace[]> {
  const spaces = new Map<number, DiskSpace>();
  for (const path of paths) {
    const place = await existing(path);
    const device = (await stat(place)).dev;
    if (spaces.has(device)) continue;
    const found = await statfs(place);
    // `bavail`, not `bfree`: what is kept back for root is not for us.
    const freeBytes = found.bavail * found.bsize;
    spaces.set(device, { freeBytes, totalBytes: found.blocks * found.bsize });
  }
  return [...spaces.values()];
}

async function existing(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? path : existing(dirname(path));
}
