/** The folder of blobs: every file that was ever uploaded and is still needed, named by its sha256. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BerthError } from '../core/errors.ts';
import type { Random } from '../ports/random.ts';
import { asDiskFull, codeOf } from './disk-full.ts';

export interface Blobs {
  /**
   * Keeps a stream under its name, hashing it on the way to the disk. Throws UPLOAD_MISMATCH, UPLOAD_TOO_LARGE or
   * DISK_FULL, and then nothing of it is left.
   */
  write(sha256: string, content: Readable, maxBytes: number): Promise<void>;
  /** Undefined when it is not there. */
  readText(sha256: string): Promise<string | undefined>;
}

/** Inside the folder of blobs: what is still being written. */
export const UNFINISHED = 'unfinished';

/** Where a blob is or would be. */
export function blobPath(folder: string, sha256: string): string {
  return join(folder, sha256.slice(0, 2), sha256.slice(2));
}

/** Opens the folder of blobs, made if need be; what an interrupted upload left in it is removed. */
export async function openBlobs(folder: string, random: Random): Promise<Blobs> {
  const unfinished = join(folder, UNFINISHED);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });

  return {
    async write(sha256, content, maxBytes) {
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
        const path = blobPath(folder, sha256);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw asDiskFull(error);
      }
    },

    async readText(sha256) {
      try {
        return await readFile(blobPath(folder, sha256), 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

function tooLarge(maxBytes: number): BerthError {
  return new BerthError('UPLOAD_TOO_LARGE', {
    detail: `One file may have at most ${maxBytes} bytes.`,
  });
}
