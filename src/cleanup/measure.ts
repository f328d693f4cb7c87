/** How much lies in folders: what the blocks on the disk say, not what the files claim. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** With everything below it; 0 when it is not there. Links are not followed. */
export async function folderBytes(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) bytes += await folderBytes(inside);
    else if (entry.isFile()) bytes += await fileBytes(inside);
  }
  return bytes;
}

/** 0 when it is not there. */
export async function fileBytes(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return (found?.blocks ?? 0) * BLOCK_BYTES;
}

/** Names in a folder; none when it is not there. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch(() => []);
}
