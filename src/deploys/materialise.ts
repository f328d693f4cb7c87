/** Puts the files of a manifest into an empty folder for the builder, and never outside of it. */
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Manifest } from '../core/model.ts';
import { asDiskFull, inParallel } from './blobs.ts';
import type { Blobs } from './blobs.ts';

/** Copies at once: they share one disk. */
const PARALLEL_COPIES = 8;
/** Shared blocks where the file system can, a copy where not; never onto something that is there. */
const COPY_MODE = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;

/**
 * Makes `folder` anew from a checked manifest and its blobs. Throws DISK_FULL, and then the folder is gone again.
 *
 * The order is the safety: folders, then files, then symbolic links. While files are written no link exists that could lead
 * out, and no name is written twice, even if the manifest was hostile and its check had a hole.
 */
export async function materialise(manifest: Manifest, blobs: Blobs, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await makeFolders(manifest, folder);
    await inParallel(manifest, PARALLEL_COPIES, async (entry) => {
      if (entry.kind !== 'file') return;
      const target = join(folder, entry.path);
      await copyFile(blobs.path(entry.sha256), target, COPY_MODE);
      await chmod(target, entry.mode);
    });
    for (const entry of manifest) {
      if (entry.kind === 'symlink') await symlink(entry.target, join(folder, entry.path));
    }
    for (const entry of manifest) {
      // We must be able to remove it again, so its owner keeps every right.
      if (entry.kind === 'directory') await chmod(join(folder, entry.path), entry.mode | 0o700);
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw asDiskFull(error);
  }
}

async function makeFolders(manifest: Manifest, folder: string): Promise<void> {
  const folders = new Set<string>();
  for (const entry of manifest) {
    folders.add(entry.kind === 'directory' ? entry.path : dirname(entry.path));
  }
  folders.delete('.');
  for (const path of folders) await mkdir(join(folder, path), { recursive: true, mode: 0o755 });
}
