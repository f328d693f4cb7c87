/** The mark of a restore under way in a data folder: while it is there, what else is there is half of something. */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';

const MARK = 'restoring';

/** Throws RESTORE_UNFINISHED for a folder that nothing may be served from. */
export async function refuseHalfRestored(folder: string): Promise<void> {
  const since = await readMark(folder);
  if (since === undefined) return;
  throw new BerthError('RESTORE_UNFINISHED', {
    detail: `${folder} was being filled from a backup (${since.trim()}), and not all of it is there.`,
  });
}

/** What it says; undefined when there is none. */
export async function readMark(folder: string): Promise<string | undefined> {
  return readFile(join(folder, MARK), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** On the disk when this resolves. */
export async function writeMark(folder: string, text: string): Promise<void> {
  const file = await open(join(folder, MARK), 'w', 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(folder);
}

export async function removeMark(folder: string): Promise<void> {
  await rm(join(folder, MARK), { force: true });
  await syncFolder(folder);
}

/** The names in a folder are on the disk when this resolves. */
async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
