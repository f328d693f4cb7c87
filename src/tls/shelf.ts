/** The folder where pairs are kept: one file each with key and chain, readable by its owner only, written whole or not at all. */
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Random } from '../ports/random.ts';
import { joinPair, type Pair, splitPair } from './pair.ts';

const SUFFIX = '.pem';
/** In file names in the place of `*`, which shells would expand; no hostname has it. */
const WILDCARD = '+';

/** Failures of the disk are DATA_FOLDER. */
export interface Shelf {
  /** Every name with a file, whatever is in it. */
  names(): Promise<readonly string[]>;
  /** Undefined when there is no such file. */
  read(name: string): Promise<Pair | undefined>;
  write(name: string, pair: Pair): Promise<void>;
  /** Unknown: succeeds. */
  remove(name: string): Promise<void>;
}

/** Makes the folder, readable by its owner only. Throws DATA_FOLDER. */
export async function openShelf(folder: string, random: Random): Promise<Shelf> {
  const inFolder = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new BerthError('DATA_FOLDER', { detail: `${folder} cannot be used: ${said}.`, cause });
    }
  };
  const pathOf = (name: string) => join(folder, `${name.replace('*', WILDCARD)}${SUFFIX}`);

  await inFolder(mkdir(folder, { recursive: true, mode: 0o700 }));
  return {
    async names() {
      const files = await inFolder(readdir(folder));
      return files
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length).replace(WILDCARD, '*'));
    },
    async read(name) {
      const path = pathOf(name);
      const text = await inFolder(
        readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined;
          throw error;
        }),
      );
      if (text === undefined) return undefined;
      // A file that somebody copied here by hand may be readable by all.
      await inFolder(chmod(path, 0o600));
      return splitPair(text);
    },
    async write(name, pair) {
      await inFolder(writeWhole(pathOf(name), joinPair(pair), random));
    },
    remove: (name) => inFolder(rm(pathOf(name), { force: true })),
  };
}

/** A reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, text: string, random: Random): Promise<void> {
  const temporary = `${path}.${random.id(8)}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
