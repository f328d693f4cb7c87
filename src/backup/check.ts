/** Whether bytes are a whole backup: they end with the checksum of all of them. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { BerthError, CATALOGUE, type ErrorCode } from '../core/errors.ts';
import { readTrailer, TRAILER_BYTES } from './format.ts';

/**
 * Passes on what it is given, and throws at the end when that was no whole backup: what the server said it failed with, or
 * BACKUP_INVALID.
 */
export async function* checked(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, number> {
  const hash = createHash('sha256');
  /** The last line may be in it, which is not hashed. */
  let tail = Buffer.alloc(0);
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    const held = Buffer.concat([tail, chunk]);
    const cut = Math.max(0, held.length - TRAILER_BYTES);
    hash.update(held.subarray(0, cut));
    tail = held.subarray(cut);
    yield chunk;
  }
  const trailer = readTrailer(tail);
  if (trailer === undefined) {
    throw invalid('It ends too early, or is no backup of Berth: its last line is missing.');
  }
  if (trailer.kind === 'failed') {
    const code = Object.hasOwn(CATALOGUE, trailer.code) ? (trailer.code as ErrorCode) : 'INTERNAL';
    throw new BerthError(code, { detail: trailer.detail });
  }
  hash.update(tail.subarray(0, tail.length - trailer.bytes));
  if (hash.digest('hex') !== trailer.sha256) {
    throw invalid('Its checksum is not the one in its last line: bytes were changed.');
  }
  return bytes - trailer.bytes;
}

/** Length of the archive in a file, in bytes. Throws BACKUP_INVALID, or USAGE when it cannot be read. */
export async function checkFile(path: string): Promise<number> {
  const file = await open(path).catch((cause: unknown) => {
    throw new BerthError('USAGE', {
      detail: `${path} cannot be read: ${messageOf(cause)}.`,
      cause,
    });
  });
  try {
    if (!(await file.stat()).isFile()) {
      throw new BerthError('USAGE', {
        detail: `${path} is not a file. A backup is read more than once: save it to a file first.`,
      });
    }
    const chunks = checked(file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }));
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) return value;
    }
  } catch (error) {
    // In a file it is of no use any more to know why.
    if (error instanceof BerthError && error.code !== 'USAGE' && error.code !== 'BACKUP_INVALID') {
      throw invalid(`It was never finished: ${error.detail}`);
    }
    throw error;
  } finally {
    await file.close();
  }
}

export function invalid(detail: string, cause?: unknown): BerthError {
  return new BerthError('BACKUP_INVALID', { detail, ...(cause === undefined ? {} : { cause }) });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
