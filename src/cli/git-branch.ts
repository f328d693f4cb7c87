/** The branch that a folder is on, read from git's own files: no git is needed for it. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** What these deploy is meant for production, not for a preview. */
const TRUNKS: ReadonlySet<string> = new Set(['main', 'master']);

/** Undefined outside of git, without a branch (a tag, a bisection), and on the trunk. */
export async function previewBranch(folder: string): Promise<string | undefined> {
  const gitFolder = await findGitFolder(resolve(folder));
  if (gitFolder === undefined) return undefined;
  const head = await readFile(join(gitFolder, 'HEAD'), 'utf8').catch(() => '');
  const branch = /^ref: refs\/heads\/(.+)$/m.exec(head)?.[1]?.trim();
  return branch === undefined || TRUNKS.has(branch) ? undefined : branch;
}

/** `.git` of this folder or of the nearest above it; in a work tree it is a file that says where the folder is. */
async function findGitFolder(folder: string): Promise<string | undefined> {
  const place = join(folder, '.git');
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory()) return place;
  if (found?.isFile()) {
    const text = await readFile(place, 'utf8').catch(() => '');
    const named = /^gitdir: (.+)$/m.exec(text)?.[1]?.trim();
    return named === undefined ? undefined : resolve(folder, named);
  }
  const above = dirname(folder);
  return above === folder ? undefined : findGitFolder(above);
}
