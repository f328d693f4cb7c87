/** The folder of blobs: every file that was ever uploaded and is still needed, named by its sha256. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';

/** A blob as a manifest speaks of it. */
export interface BlobName {
  /** Hex. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface Blobs {
  /** Absolute path of a blob, whether it is there or not. */
  path(sha256: string): string;
  /**
   * Keeps a stream under its name, hashing it on the way to the disk. Throws UPLOAD_MISMATCH, UPLOAD_TOO_LARGE or
   * DISK_FULL, and then nothing of it is left.
   */
  write(sha256: string, content: Readable, maxBytes: number): Promise<void>;
  /** Keeps a whole text and gives its sha256. */
  writeText(text: string): Promise<string>;
  /** Undefined when it is not there. */
  readText(sha256: string): Promise<string | undefined>;
  /** Those that are not there in full, each once. What is there counts as used now, so that no sweep takes it. */
  missing(names: Iterable<BlobName>): Promise<readonly string[]>;
  /** Removes every blob that is not `kept` and was not used for `idleMs`; how many went. */
  sweep(kept: ReadonlySet<string>, idleMs: number): Promise<number>;
}

/** Looking at files in parallel: more only queues in the thread pool. */
const PARALLEL_LOOKS = 16;

/** Opens the folder of blobs, made if need be; what an interrupted upload left in it is removed. */
export async function openBlobs(folder: string, clock: Clock, random: Random): Promise<Blobs> {
  const unfinished = join(folder, 'unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const path = (sha256: string) => join(folder, sha256.slice(0, 2), sha256.slice(2));

  async function write(sha256: string, content: Readable, maxBytes: number): Promise<void> {
    const temporary = join(unfinished, random.id(20));
    const hash = createHash('sha256');
    let bytes = 0;
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        hash.update(chunk);
        done(bytes > maxBytes ? tooLarge(maxBytes) : null, chunk);
      },
    });
    try {
      await pipeline(content, check, createWriteStream(temporary, { flags: 'wx', mode: 0o600 }));
      const actual = hash.digest('hex');
      if (actual !== sha256) {
        throw new BerthError('UPLOAD_MISMATCH', {
          detail: `The ${bytes} bytes that arrived have the sha256 ${actual}, not ${sha256}.`,
        });
      }
      await mkdir(join(folder, sha256.slice(0, 2)), { recursive: true, mode: 0o700 });
      await rename(temporary, path(sha256));
    } catch (error) {
      await rm(temporary, { force: true });
      throw asDiskFull(error);
    }
  }

  /** A blob cut short by a power loss counts as missing: its size tells. */
  async function isWhole(name: BlobName): Promise<boolean> {
    try {
      const { size } = await stat(path(name.sha256));
      if (size !== name.bytes) return false;
      const seconds = clock.now() / 1000;
      await utimes(path(name.sha256), seconds, seconds);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  return {
    path,
    write,

    async writeText(text) {
      const content = Buffer.from(text);
      const sha256 = createHash('sha256').update(content).digest('hex');
      await write(sha256, Readable.from([content]), content.length);
      return sha256;
    },

    async readText(sha256) {
      try {
        return await readFile(path(sha256), 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },

    async missing(names) {
      const wanted = [...new Map([...names].map((name) => [name.sha256, name])).values()];
      const missing = new Set<string>();
      await inParallel(wanted, PARALLEL_LOOKS, async (name) => {
        if (!(await isWhole(name))) missing.add(name.sha256);
      });
      return wanted.map((name) => name.sha256).filter((sha256) => missing.has(sha256));
    },

    async sweep(kept, idleMs) {
      let removed = 0;
      for (const prefix of await readdir(folder)) {
        if (prefix.length !== 2) continue;
        const names = await readdir(join(folder, prefix));
        await inParallel(names, PARALLEL_LOOKS, async (rest) => {
          const file = join(folder, prefix, rest);
          if (kept.has(prefix + rest)) return;
          if (clock.now() - (await stat(file)).mtimeMs < idleMs) return;
          await rm(file, { force: true });
          removed += 1;
        });
      }
      return removed;
    },
  };
}

/** Runs `act` on all items, `width` at a time. After a failure nothing more is begun; it is thrown once all is quiet. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  width: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  async function lane(): Promise<void> {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      try {
        await act(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: width }, lane));
  if (failures.length > 0) throw failures[0];
}

/** A full disk or quota as DISK_FULL, anything else as it is. */
export function asDiskFull(error: unknown): unknown {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new BerthError('DISK_FULL', {
    detail: 'The disk of the data folder filled up; what was being written was removed again.',
    cause: error,
  });
}

function tooLarge(maxBytes: number): BerthError {
  return new BerthError('UPLOAD_TOO_LARGE', {
    detail: `One file may have at most ${maxBytes} bytes.`,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
