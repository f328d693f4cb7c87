/** From a folder and its configuration to all that a deploy uploads: scan, Dockerfile looked over or made. */
import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { ManifestEntry } from '../core/model.ts';
import { checkDockerfile, type DockerfileOptions } from './dockerfile.ts';
import { normalisePath } from './fields.ts';
import { type Scan, type ScanOptions, scanFolder } from './folder.ts';
import { type FolderView, GENERATED_DOCKERFILE, type Kind, type Recognised } from './kinds/kind.ts';
import { recognise } from './recognise.ts';
import type { ConfigFile } from './keys.ts';

/** A text file that somebody wrote by hand is never larger, in bytes. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** Where a Dockerfile may be when the configuration does not say. */
const DOCKERFILES = ['Dockerfile', 'Containerfile'];

const KINDS: Readonly<Record<string, Kind>> = { npm: 'node', static: 'static' };

export interface Prepared extends Scan {
  /** Path of the Dockerfile in the upload: goes into the configuration unless it is `Dockerfile`. */
  readonly dockerfile: string;
  /** Present when the folder has no Dockerfile: its text is to be shown. */
  readonly recognised?: Recognised;
  /** Content that is in no file of the folder, by sha256. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Throws what `scanFolder` and `checkDockerfile` throw, and NO_DOCKERFILE. */
export async function prepareFolder(
  folder: string,
  file: ConfigFile,
  options: Omit<ScanOptions, 'files' | 'dockerfile'> & Omit<DockerfileOptions, 'fileName'> = {},
): Promise<Prepared> {
  const { hasHeredocs, ...scanOptions } = options;
  const dockerfile = await dockerfileOf(folder, file);
  const scan = await scanFolder(folder, {
    ...scanOptions,
    dockerfile,
    ...(file.files === undefined ? {} : { files: file.files }),
  });
  const kind = file.type === undefined ? undefined : KINDS[file.type];
  if (kind === undefined) {
    const text = await readText(join(resolve(folder), dockerfile));
    if (text !== undefined && scan.manifest.some(({ path }) => path === dockerfile)) {
      checkDockerfile(text, {
        fileName: dockerfile,
        ...(hasHeredocs === undefined ? {} : { hasHeredocs }),
      });
      return { ...scan, dockerfile, texts: new Map() };
    }
    if (file.build?.dockerfile !== undefined || file.type === 'docker') {
      throw new BerthError('NO_DOCKERFILE', {
        detail: `there is no ${dockerfile} in ${resolve(folder)}, and the configuration asks for it`,
      });
    }
  }
  return withGenerated(scan, await recognise(viewOf(folder, scan), kind));
}

/** The upload with the Dockerfile that was made for it. */
function withGenerated(scan: Scan, recognised: Recognised): Prepared {
  const added = [
    { path: GENERATED_DOCKERFILE, text: recognised.dockerfile },
    ...recognised.extraFiles,
  ];
  const gone = new Set([...recognised.without, ...added.map(({ path }) => path)]);
  // The builder would apply these again, to our own files too; here they have already done their work.
  for (const name of ['.dockerignore', '.containerignore']) gone.add(name);

  const texts = new Map<string, string>();
  const entries = scan.manifest.filter(({ path }) => !gone.has(path));
  for (const { path, text } of added) {
    const sha256 = createHash('sha256').update(text).digest('hex');
    texts.set(sha256, text);
    entries.push({ kind: 'file', path, mode: 0o644, bytes: Buffer.byteLength(text), sha256 });
  }
  const manifest = entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const kept = new Set(manifest.map((entry) => (entry.kind === 'file' ? entry.sha256 : '')));
  return {
    ...scan,
    manifest,
    files: new Map([...scan.files].filter(([sha256]) => kept.has(sha256))),
    bytes: manifest.reduce((sum, entry) => sum + sizeOf(entry), 0),
    dockerfile: GENERATED_DOCKERFILE,
    recognised,
    texts,
  };
}

function sizeOf(entry: ManifestEntry): number {
  return entry.kind === 'file' ? entry.bytes : 0;
}

async function dockerfileOf(folder: string, file: ConfigFile): Promise<string> {
  if (file.build?.dockerfile !== undefined) return normalisePath(file.build.dockerfile);
  for (const name of DOCKERFILES) {
    const status = await lstat(join(resolve(folder), name)).catch(() => undefined);
    if (status !== undefined && !status.isDirectory()) return name;
  }
  return 'Dockerfile';
}

function viewOf(folder: string, scan: Scan): FolderView {
  const paths = scan.manifest.filter(({ kind }) => kind === 'file').map(({ path }) => path);
  const known = new Set(paths);
  return {
    paths,
    has: (path) => known.has(path),
    text: async (path) => (known.has(path) ? readText(join(resolve(folder), path)) : undefined),
  };
}

/** Undefined when it is not there, is too large, or is no UTF-8 text. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const status = await lstat(path);
    if (status.size > MAX_TEXT_BYTES) return undefined;
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch {
    return undefined;
  }
}
