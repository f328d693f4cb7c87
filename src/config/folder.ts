/** What a folder uploads: its files as a manifest, hashed a few at a time, with every reason to refuse found beforehand. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { checkManifest } from '../core/manifest.ts';
import type { Manifest, ManifestEntry } from '../core/model.ts';
import { normalisePath } from './fields.ts';
import { type FoundFile, walkFolder } from './walk.ts';

/** Reading and hashing overlap; more at once gain nothing on one disk. */
const HASHES_AT_ONCE = 4;
const CHUNK_BYTES = 1024 * 1024;

export interface ScanOptions {
  /** Upload only these files and folders (`files` of the configuration). */
  readonly files?: readonly string[];
  /** Path of the Dockerfile, which is never left out; `Dockerfile` by default. */
  readonly dockerfile?: string;
  /** Called after every file. */
  readonly onProgress?: (progress: ScanProgress) => void;
  readonly signal?: AbortSignal;
}

export interface ScanProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface Scan {
  /** Sorted by path in code unit order; passes `checkManifest`. */
  readonly manifest: Manifest;
  /** Where the content of each sha256 can be read: absolute paths. */
  readonly files: ReadonlyMap<string, string>;
  /** All files together. */
  readonly bytes: number;
  /** Files and folders that were left out. */
  readonly ignored: number;
  /** The ignore files that decided, for example `.dockerignore`. */
  readonly ignoreFiles: readonly string[];
  /** Entries of `options.files` that name nothing. */
  readonly missing: readonly string[];
}

/**
 * Looks at a whole folder, then hashes it. Nothing is hashed before everything is known to be fine:
 * FOLDER_NOT_FOUND, UPLOAD_PATH, UPLOAD_SYMLINK, UPLOAD_FILE_KIND, UPLOAD_TOO_LARGE (from sizes alone, so at once),
 * CONFIG_INVALID for an ignore file that cannot be understood, UPLOAD_MISMATCH for a file that changes meanwhile.
 */
export async function scanFolder(folder: string, options: ScanOptions = {}): Promise<Scan> {
  const root = resolve(folder);
  await checkFolder(folder, root);
  const found = await walkFolder(root, {
    only: options.files?.map(normalisePath),
    dockerfile: normalisePath(options.dockerfile ?? 'Dockerfile'),
    signal: options.signal,
  });

  const totalBytes = found.files.reduce((sum, file) => sum + file.bytes, 0);
  const files = new Map<string, string>();
  const entries: ManifestEntry[] = [...found.others];
  let done = 0;
  let bytes = 0;
  await inParallel(found.files, HASHES_AT_ONCE, async (file, buffer) => {
    options.signal?.throwIfAborted();
    const path = join(root, file.path);
    const sha256 = await hashFile(path, file, buffer);
    entries.push({ kind: 'file', path: file.path, mode: file.mode, bytes: file.bytes, sha256 });
    if (!files.has(sha256)) files.set(sha256, path);
    done += 1;
    bytes += file.bytes;
    options.onProgress?.({ files: done, totalFiles: found.files.length, bytes, totalBytes });
  });

  const manifest = entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const problems = checkManifest(manifest);
  if (problems.length > 0) {
    throw new BerthError('UPLOAD_PATH', {
      detail: problems.map((problem) => problem.message).join('\n'),
      problems,
    });
  }
  const { ignored, ignoreFiles, missing } = found;
  return { manifest, files, bytes, ignored, ignoreFiles, missing };
}

async function checkFolder(folder: string, root: string): Promise<void> {
  const refuse = (message: string): never => {
    throw new BerthError('FOLDER_NOT_FOUND', { detail: `${folder} ${message}` });
  };
  const status = await stat(root).catch((error: NodeJS.ErrnoException) =>
    refuse(error.code === 'EACCES' ? 'cannot be entered: permission denied' : 'does not exist'),
  );
  if (!status.isDirectory()) refuse('is a file, not a folder');
}

/** Hex sha256 of a file that must still be what the walk saw. */
async function hashFile(path: string, file: FoundFile, buffer: Buffer): Promise<string> {
  const changed = (): BerthError =>
    new BerthError('UPLOAD_MISMATCH', {
      detail: `${file.path} changed while it was read`,
      problems: [{ at: file.path, message: `${file.path} changed while it was read` }],
    });
  // Not following a link: the file may have been replaced by one since it was looked at.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EACCES' && error.code !== 'EPERM') throw changed();
      throw new BerthError('UPLOAD_FILE_KIND', {
        detail: `${file.path} cannot be read: permission denied`,
        problems: [{ at: file.path, message: `${file.path} cannot be read: permission denied` }],
      });
    },
  );
  try {
    const hash = createHash('sha256');
    let total = 0;
    while (total <= BOUNDS.uploadFileBytes) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      total += bytesRead;
      hash.update(buffer.subarray(0, bytesRead));
    }
    if (total !== file.bytes) throw changed();
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Each worker has one buffer, so memory stays the same however many files there are. The first failure ends all. */
async function inParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T, buffer: Buffer) => Promise<void>,
): Promise<void> {
  let next = 0;
  let isFailed = false;
  const run = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    while (!isFailed) {
      const item = items[next];
      next += 1;
      if (item === undefined) return;
      try {
        await work(item, buffer);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, run));
}
