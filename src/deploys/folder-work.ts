/** Work on whole uploads: synchronous, and therefore done on a thread of its own (`folder-worker.ts`). */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { canonicalManifest } from '../core/manifest.ts';
import type { Manifest, ManifestEntry } from '../core/model.ts';
import { asDiskFull, codeOf } from './disk-full.ts';
import { acceptManifest, parseManifest } from './manifests.ts';
import { blobPath, UNFINISHED } from './blobs.ts';

/** What an upload is, as far as its deploy wants to know. */
export interface Examined {
  readonly files: number;
  readonly bytes: number;
  /** sha256 of what was not uploaded, at most 100 of them, and how many there are. */
  readonly missing: readonly string[];
  readonly missingCount: number;
  /** The file that was asked about, if the folder has it. */
  readonly file?: { readonly sha256: string; readonly bytes: number };
}

/** Blobs that nothing needs. */
export interface Swept {
  readonly count: number;
  readonly bytes: number;
}

export interface FolderWork {
  /**
   * Takes the JSON body of an announcement, keeps its manifest as a blob, and gives the JSON of the answer: `manifest` and
   * what is `missing`. Throws what `acceptManifest` throws.
   */
  announce(body: Uint8Array, now: number): Uint8Array;
  /** Looks at an upload and the file `path` in it. Throws UPLOAD_INCOMPLETE when the manifest itself is missing. */
  examine(manifest: string, path: string, now: number): Examined;
  /** Makes `folder` anew with the files of a manifest. Throws DISK_FULL or DEPLOY_INTERRUPTED, and then it is gone. */
  layOut(manifest: string, folder: string): void;
  /**
   * Removes every blob that none of these manifests has and nobody asked for since `before`, unless it is a dry run; how
   * many they are, and the room they take.
   */
  sweep(manifests: readonly string[], before: number, isDryRun: boolean): Swept;
}

const MISSING_SHOWN = 100;
const BLOCK_BYTES = 512;
/** Shared blocks where the file system can, a copy where not; never onto something that is there. */
const COPY_MODE = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;

export function folderWork(blobs: string): FolderWork {
  const pathOf = (sha256: string) => blobPath(blobs, sha256);

  function keep(text: string, now: number): string {
    const sha256 = createHash('sha256').update(text).digest('hex');
    const temporary = join(blobs, UNFINISHED, sha256);
    try {
      writeFileSync(temporary, text, { mode: 0o600 });
      utimesSync(temporary, now / 1000, now / 1000);
      mkdirSync(dirname(pathOf(sha256)), { recursive: true, mode: 0o700 });
      renameSync(temporary, pathOf(sha256));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw asDiskFull(error);
    }
    return sha256;
  }

  function read(sha256: string): Manifest {
    let text: string;
    try {
      text = readFileSync(pathOf(sha256), 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      throw new BerthError('UPLOAD_INCOMPLETE', {
        detail: 'The manifest itself was not uploaded.',
        problems: [{ at: sha256, message: 'not uploaded' }],
      });
    }
    return parseManifest(text);
  }

  /** Each once. What is there counts as used now, so that no sweep takes it; one cut short by a power loss is missing. */
  function missingOf(files: readonly FileEntry[], now: number): readonly string[] {
    const missing: string[] = [];
    for (const [sha256, bytes] of new Map(files.map((file) => [file.sha256, file.bytes]))) {
      const path = pathOf(sha256);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.size === bytes) utimesSync(path, now / 1000, now / 1000);
      else missing.push(sha256);
    }
    return missing;
  }

  return {
    announce(body, now) {
      const manifest = acceptManifest((parseBody(body) as { manifest?: unknown } | null)?.manifest);
      const sha256 = keep(canonicalManifest(manifest), now);
      const missing = missingOf(manifest.filter(isFile), now);
      return new TextEncoder().encode(JSON.stringify({ manifest: sha256, missing }));
    },

    examine(sha256, path, now) {
      const files = read(sha256).filter(isFile);
      const missing = missingOf(files, now);
      const file = files.find((one) => one.path === path);
      return {
        files: files.length,
        bytes: files.reduce((sum, one) => sum + one.bytes, 0),
        missing: missing.slice(0, MISSING_SHOWN),
        missingCount: missing.length,
        ...(file ? { file: { sha256: file.sha256, bytes: file.bytes } } : {}),
      };
    },

    layOut(sha256, folder) {
      rmSync(folder, { recursive: true, force: true });
      try {
        fill(folder, read(sha256), pathOf);
      } catch (error) {
        rmSync(folder, { recursive: true, force: true });
        throw asDiskFull(error);
      }
    },

    sweep(manifests, before, isDryRun) {
      const kept = new Set(manifests);
      for (const manifest of manifests) {
        for (const file of readOrNothing(manifest).filter(isFile)) kept.add(file.sha256);
      }
      let count = 0;
      let bytes = 0;
      for (const prefix of readdirSync(blobs)) {
        if (prefix === UNFINISHED) continue;
        for (const rest of readdirSync(join(blobs, prefix))) {
          const path = join(blobs, prefix, rest);
          if (kept.has(prefix + rest)) continue;
          const found = statSync(path);
          if (found.mtimeMs >= before) continue;
          if (!isDryRun) rmSync(path, { force: true });
          count += 1;
          bytes += found.blocks * BLOCK_BYTES;
        }
      }
      return { count, bytes };
    },
  };

  /** A deployment without its manifest cannot be built again: its image is all there is, and that stays. */
  function readOrNothing(sha256: string): Manifest {
    try {
      return read(sha256);
    } catch (error) {
      if (error instanceof BerthError) return [];
      throw error;
    }
  }
}

/**
 * The order is the safety: folders, then files, then symbolic links. While files are written no link exists that could lead
 * out, and no name is written twice, even if the manifest is hostile and its check had a hole.
 */
export function fill(folder: string, manifest: Manifest, pathOf: (sha256: string) => string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const folders = manifest.map((entry) =>
    entry.kind === 'directory' ? entry.path : dirname(entry.path),
  );
  for (const path of new Set(folders))
    mkdirSync(join(folder, path), { recursive: true, mode: 0o755 });
  for (const entry of manifest) {
    if (entry.kind === 'file') copy(pathOf(entry.sha256), join(folder, entry.path), entry);
  }
  for (const entry of manifest) {
    if (entry.kind === 'symlink') symlinkSync(entry.target, join(folder, entry.path));
    // We must be able to remove it again, so its owner keeps every right.
    else if (entry.kind === 'directory') chmodSync(join(folder, entry.path), entry.mode | 0o700);
  }
}

function copy(from: string, to: string, entry: FileEntry): void {
  if (statSync(from, { throwIfNoEntry: false })?.size !== entry.bytes) {
    throw new BerthError('DEPLOY_INTERRUPTED', {
      detail: `The uploaded file ${entry.path} is no longer there.`,
    });
  }
  copyFileSync(from, to, COPY_MODE);
  chmodSync(to, entry.mode);
}

type FileEntry = Extract<ManifestEntry, { kind: 'file' }>;

function isFile(entry: ManifestEntry): entry is FileEntry {
  return entry.kind === 'file';
}

function parseBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new BerthError('INVALID_INPUT', {
      detail: `The body is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
      problems: [{ at: 'body', message: 'is not JSON' }],
    });
  }
}
