/** Chooses what of one folder is uploaded: its ignore files, the `files` of its configuration, and what is never left out. */
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { createMatcher, DEFAULTS, IGNORE_FILES, type IgnoreText, type Matcher } from './ignore.ts';

const MAX_BYTES = 1024 * 1024;

export interface Choice {
  /** Whether a file (or a folder as such) is uploaded. */
  takes(path: string, isFolder: boolean): boolean;
  /** Whether something below a folder that is not taken itself may be. */
  mayTakeBelow(folder: string): boolean;
  /** To be called when the walk enters a folder that has a `.gitignore`, before its entries are asked about. */
  enter(folder: string): Promise<void>;
  readonly ignoreFiles: readonly string[];
  /** Entries of `only` that no path was asked about. */
  missing(): readonly string[];
}

/** Reads the ignore files of the root. Throws CONFIG_INVALID when one cannot be read or understood. */
export async function chooseFiles(
  root: string,
  options: { readonly only: readonly string[] | undefined; readonly dockerfile: string },
): Promise<Choice> {
  const { only, dockerfile } = options;
  const own = only === undefined ? await firstOf(root, IGNORE_FILES.own) : undefined;
  const docker = await firstOf(root, IGNORE_FILES.docker);
  const isGit = only === undefined && own === undefined && docker === undefined;

  // The defaults come before the lines of one file, so that those can take them back in.
  const matchers: Matcher[] = [];
  if (own !== undefined) matchers.push(createMatcher(own.rules, [own], DEFAULTS));
  if (docker !== undefined) {
    const isFirst = own === undefined && only === undefined;
    matchers.push(createMatcher(docker.rules, [docker], isFirst ? DEFAULTS : []));
  }
  const git = isGit ? createMatcher('git', [], DEFAULTS) : undefined;
  if (git !== undefined) matchers.push(git);
  const defaults = createMatcher('docker', [], DEFAULTS);

  const ignoreFiles = [own, docker].filter((file) => file !== undefined).map((file) => file.path);
  const always = [dockerfile, ...ignoreFiles];
  const seen = new Set<string>();

  const isIgnored = (path: string, isFolder: boolean): boolean =>
    matchers.some((matcher) => matcher.ignores(path, isFolder));
  const isListed = (path: string): boolean => {
    if (only === undefined) return true;
    const entry = only.find((one) => one === '.' || one === path || path.startsWith(`${one}/`));
    if (entry === undefined) return false;
    seen.add(entry);
    const below = entry === '.' ? path : path.slice(entry.length + 1);
    return below === '' || !defaults.ignores(below, false);
  };

  return {
    takes(path, isFolder) {
      if (!isFolder && always.includes(path)) {
        isListed(path);
        return true;
      }
      return isListed(path) && !isIgnored(path, isFolder);
    },
    mayTakeBelow(folder) {
      const isAbove = (path: string): boolean => path.startsWith(`${folder}/`);
      if (always.some(isAbove)) return true;
      if (!isListed(folder) && !only?.some(isAbove)) return false;
      return matchers.every(
        (matcher) => !matcher.ignores(folder, true) || matcher.mayRestoreBelow(folder),
      );
    },
    async enter(folder) {
      if (git === undefined) return;
      const path = folder === '' ? '.gitignore' : `${folder}/.gitignore`;
      const text = await readIgnoreFile(root, path);
      if (text === undefined) return;
      git.add({ path, text });
      if (folder === '') ignoreFiles.push(path);
    },
    ignoreFiles,
    missing: () => only?.filter((entry) => entry !== '.' && !seen.has(entry)) ?? [],
  };
}

async function firstOf<Rules extends string>(
  root: string,
  candidates: readonly { readonly name: string; readonly rules: Rules }[],
): Promise<(IgnoreText & { readonly rules: Rules }) | undefined> {
  for (const { name, rules } of candidates) {
    const text = await readIgnoreFile(root, name);
    if (text !== undefined) return { path: name, text, rules };
  }
  return undefined;
}

/** Undefined when it is not there, or not a plain file. */
async function readIgnoreFile(root: string, path: string): Promise<string | undefined> {
  const full = join(root, path);
  const status = await lstat(full).catch(() => undefined);
  if (!status?.isFile()) return undefined;
  const refuse = (message: string): never => {
    throw new BerthError('CONFIG_INVALID', {
      detail: `${path}: ${message}`,
      problems: [{ at: path, message: `${path}: ${message}` }],
    });
  };
  if (status.size > MAX_BYTES) return refuse(`the file is larger than ${MAX_BYTES} bytes`);
  const bytes = await readFile(full).catch((error: Error) =>
    refuse(`cannot be read: ${error.message}`),
  );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('the file is not UTF-8 text');
  }
}
