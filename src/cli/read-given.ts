/** Files that somebody names on the command line. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { World } from './world.ts';

/** The text of a file, its path as given from the folder of the command. Throws USAGE. */
export async function readGiven(world: Pick<World, 'folder'>, path: string): Promise<string> {
  try {
    return await readFile(resolve(world.folder, path), 'utf8');
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('USAGE', { detail: `${path} cannot be read: ${said}.`, cause });
  }
}
