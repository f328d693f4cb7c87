/** Walks a folder by its ignore rules and finds every reason to refuse it from names, kinds and sizes alone. */
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, type ErrorCode, type Problem } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { linkProblem, pathProblem } from '../core/manifest.ts';
import type { ManifestEntry } from '../core/model.ts';
import { NEVER } from './ignore.ts';
import { type Choice, chooseFiles } from './choice.ts';

const LOOKS_AT_ONCE = 32;
const MAX_PROBLEMS = 50;
/** A message names this many problems; the list has them all. */
const SHOWN_PROBLEMS = 10;

export interface WalkOptions {
  readonly only: readonly string[] | undefined;
  readonly dockerfile: string;
  readonly signal: AbortSignal | undefined;
}

export interface FoundFile {
  readonly path: string;
  readonly mode: number;
  readonly bytes: number;
}

export interface Found {
  readonly files: readonly FoundFile[];
  /** Symbolic links, and folders with nothing in them. */
  readonly others: readonly ManifestEntry[];
  readonly ignored: number;
  readonly ignoreFiles: readonly string[];
  readonly missing: readonly string[];
}

/** Throws UPLOAD_* with all problems found (at most 50), or at once when there are far too many files. */
export async function walkFolder(root: string, options: WalkOptions): Promise<Found> {
  const walk = new Walk(root, await chooseFiles(root, options), options.signal);
  await walk.run();
  return walk.result();
}

class Walk {
  readonly #root: string;
  readonly #choice: Choice;
  readonly #signal: AbortSignal | undefined;
  readonly #files: FoundFile[] = [];
  readonly #links = new Map<string, string>();
  readonly #folders = new Map<string, number>();
  readonly #problems: { readonly code: ErrorCode; readonly problem: Problem }[] = [];
  #ignored = 0;

  constructor(root: string, choice: Choice, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#choice = choice;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const folders = [''];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      this.#signal?.throwIfAborted();
      const entries = await this.#list(folder);
      if (entries.some((entry) => entry.name === '.gitignore')) {
        await this.#choice.enter(folder);
      }
      for (let start = 0; start < entries.length; start += LOOKS_AT_ONCE) {
        const some = entries.slice(start, start + LOOKS_AT_ONCE);
        const below = await Promise.all(some.map((entry) => this.#look(folder, entry)));
        folders.push(...below.filter((path) => path !== undefined));
      }
    }
  }

  result(): Found {
    for (const [path, target] of this.#links) {
      const problem = linkProblem(path, target, this.#links);
      if (problem !== undefined) this.#refuse('UPLOAD_SYMLINK', path, problem);
    }
    this.#checkTotal();
    const [first] = this.#problems;
    if (first !== undefined) {
      const problems = this.#problems.map(({ problem }) => problem);
      throw new BerthError(first.code, { detail: summary(problems), problems });
    }
    return {
      files: this.#files,
      others: [
        ...[...this.#links].map(([path, target]) => ({ kind: 'symlink', path, target }) as const),
        ...this.#emptyFolders(),
      ],
      ignored: this.#ignored,
      ignoreFiles: this.#choice.ignoreFiles,
      missing: this.#choice.missing(),
    };
  }

  async #list(
    folder: string,
  ): Promise<readonly { readonly name: string; readonly isText: boolean }[]> {
    let entries: Dirent<Buffer>[];
    try {
      const path = join(this.#root, folder);
      entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      this.#refuse('UPLOAD_FILE_KIND', folder, `cannot be read: ${reason(error)}`);
      return [];
    }
    return entries.map((entry) => {
      const name = entry.name.toString('utf8');
      return { name, isText: Buffer.from(name, 'utf8').equals(entry.name) };
    });
  }

  /** The path to go into, when it is a folder to go into. */
  async #look(
    folder: string,
    { name, isText }: { readonly name: string; readonly isText: boolean },
  ): Promise<string | undefined> {
    if ((NEVER as readonly string[]).includes(name)) return undefined;
    const path = folder === '' ? name : `${folder}/${name}`;
    if (!isText) {
      // Not even its kind can be asked for by this name; only a rule can say that it does not matter.
      if (this.#choice.takes(path, false)) {
        this.#refuse('UPLOAD_PATH', path, 'has a name that is not UTF-8');
      }
      return undefined;
    }
    let status: Stats;
    try {
      status = await lstat(join(this.#root, path));
    } catch (error) {
      this.#refuse('UPLOAD_FILE_KIND', path, `cannot be read: ${reason(error)}`);
      return undefined;
    }
    if (status.isDirectory()) {
      const isTaken = this.#choice.takes(path, true);
      if (isTaken) this.#folders.set(path, status.mode & 0o777);
      if (isTaken || this.#choice.mayTakeBelow(path)) return path;
      this.#ignored += 1;
      return undefined;
    }
    if (!this.#choice.takes(path, false)) {
      this.#ignored += 1;
      return undefined;
    }
    const problem = pathProblem(path);
    if (problem !== undefined) this.#refuse('UPLOAD_PATH', path, problem);
    else if (status.isSymbolicLink()) await this.#takeLink(path);
    else if (status.isFile()) this.#takeFile(path, status);
    else this.#refuse('UPLOAD_FILE_KIND', path, `is ${kindOf(status)}`);
    return undefined;
  }

  #takeFile(path: string, status: Stats): void {
    this.#files.push({ path, mode: status.mode & 0o777, bytes: status.size });
    if (status.size > BOUNDS.uploadFileBytes) {
      const limit = sizeText(BOUNDS.uploadFileBytes);
      const message = `is ${sizeText(status.size)}: at most ${limit} are allowed for one file`;
      this.#refuse('UPLOAD_TOO_LARGE', path, message);
    }
    this.#checkCount();
  }

  async #takeLink(path: string): Promise<void> {
    const target = await readlink(join(this.#root, path), { encoding: 'buffer' });
    const text = target.toString('utf8');
    if (Buffer.from(text, 'utf8').equals(target)) this.#links.set(path, text);
    else this.#refuse('UPLOAD_SYMLINK', path, 'is a symbolic link whose target is not UTF-8');
    this.#checkCount();
  }

  /** Somebody who deploys their home folder should not wait for all of it to be walked. */
  #checkCount(): void {
    if (this.#files.length + this.#links.size <= BOUNDS.uploadFiles) return;
    const detail = `more than ${BOUNDS.uploadFiles} files are too many for one upload`;
    throw new BerthError('UPLOAD_TOO_LARGE', { detail, problems: [{ at: '', message: detail }] });
  }

  #checkTotal(): void {
    const total = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    const isSaid = this.#problems.some(({ code }) => code === 'UPLOAD_TOO_LARGE');
    if (total <= BOUNDS.uploadBytes || isSaid) return;
    const largest = this.#files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3);
    const names = largest.map((file) => `${file.path} (${sizeText(file.bytes)})`).join(', ');
    const message = `all files together are ${sizeText(total)}: at most ${sizeText(BOUNDS.uploadBytes)} are allowed; the largest: ${names}`;
    this.#problems.push({ code: 'UPLOAD_TOO_LARGE', problem: { at: '', message } });
  }

  /** Folders that no file below makes appear by itself. */
  #emptyFolders(): readonly ManifestEntry[] {
    const parents = new Set<string>();
    const add = (path: string): void => {
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        parents.add(path.slice(0, end));
      }
    };
    for (const { path } of this.#files) add(path);
    for (const path of this.#links.keys()) add(path);
    for (const path of this.#folders.keys()) add(path);
    return [...this.#folders]
      .filter(([path]) => !parents.has(path))
      .map(([path, mode]) => ({ kind: 'directory', path, mode }));
  }

  #refuse(code: ErrorCode, path: string, message: string): void {
    if (this.#problems.length >= MAX_PROBLEMS) return;
    const shown = /[\u0000-\u001f\u007f]/.test(path) ? JSON.stringify(path) : path;
    this.#problems.push({ code, problem: { at: path, message: `${shown} ${message}` } });
  }
}

function summary(problems: readonly Problem[]): string {
  const lines = problems.slice(0, SHOWN_PROBLEMS).map((problem) => problem.message);
  const more = problems.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM' ? 'permission denied' : (code ?? String(error));
}

function kindOf(status: Stats): string {
  if (status.isSocket()) return 'a socket';
  if (status.isFIFO()) return 'a named pipe';
  return status.isBlockDevice() || status.isCharacterDevice() ? 'a device' : 'not a plain file';
}

/** `2147483648` → `2 GiB`. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
