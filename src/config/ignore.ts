/** Which files of a folder are left out of an upload, and because of which rule. */
import dockerignore from '@balena/dockerignore';
import gitRules from 'ignore';
import { BerthError } from '../core/errors.ts';

/** The package names its only export twice; this is the one that its types know. */
const dockerRules = dockerignore.default;

/** Never uploaded, whatever a file says: the history of a folder is not part of it. */
export const NEVER = ['.git', '.hg', '.svn', 'CVS'] as const;

/** Left out unless an ignore file takes them back in with `!`: what is made again anyway, is private, or is rubbish. */
export const DEFAULTS = [
  'node_modules',
  '__pycache__',
  '.venv',
  'venv',
  '.env.local',
  '.env.*.local',
  '.now',
  '.vercel',
  'npm-debug.log',
  'yarn-error.log',
  '.DS_Store',
  'Thumbs.db',
  '.*.swp',
] as const;

/**
 * Ignore files in the root of the folder, in order of precedence, with the rules that each is written in.
 *
 * | group  | files                               | rules  | read                                        |
 * |--------|-------------------------------------|--------|---------------------------------------------|
 * | own    | `.berthignore`, else `.nowignore`   | docker, git | always                                 |
 * | docker | `.containerignore`, else `.dockerignore` | docker | always: the builder applies it too     |
 * | git    | `.gitignore`, in every folder       | git    | only when there is no file of the others    |
 */
export const IGNORE_FILES = {
  own: [
    { name: '.berthignore', rules: 'docker' },
    { name: '.nowignore', rules: 'git' },
  ],
  docker: [
    { name: '.containerignore', rules: 'docker' },
    { name: '.dockerignore', rules: 'docker' },
  ],
  git: [{ name: '.gitignore', rules: 'git' }],
} as const;

export type Rules = 'docker' | 'git';

/** The text of one ignore file. */
export interface IgnoreText {
  /** Path from the root of the upload, for messages and (git) for the folder its rules belong to. */
  readonly path: string;
  readonly text: string;
}

/** Rules of one kind, asked about paths from the root (`a/b`, no slash at the end). */
export interface Matcher {
  ignores(path: string, isFolder: boolean): boolean;
  /** Whether something below an ignored folder may be taken back in, so that it has to be looked at. */
  mayRestoreBelow(folder: string): boolean;
  /** More rules, which win over those before. */
  add(file: IgnoreText): void;
}

/** The default rules, then those of the files. Throws CONFIG_INVALID naming file and line when a rule cannot be understood. */
export function createMatcher(
  rules: Rules,
  files: readonly IgnoreText[],
  defaults: readonly string[] = [],
): Matcher {
  const matcher = rules === 'docker' ? dockerMatcher(defaults) : gitMatcher(defaults);
  for (const file of files) matcher.add(file);
  return matcher;
}

/** Docker's rules: a pattern counts from the root, `**` crosses folders, `!` takes back in, also below ignored folders; the last match wins. */
function dockerMatcher(defaults: readonly string[]): Matcher {
  const matcher = dockerRules({ ignorecase: false });
  const restored: string[] = [];
  matcher.add(defaults.map((name) => `**/${name}`));
  plainCache(matcher);
  return {
    ignores: (path) => matcher.ignores(path),
    mayRestoreBelow: (folder) => restored.some((pattern) => reachesBelow(pattern, folder)),
    add({ path, text }) {
      textLines(text).forEach((line, index) => {
        if (line.startsWith('#') || line.trim() === '') return;
        const pattern = escapedAsInGo(line);
        checkPattern(pattern, `${path}:${index + 1}`);
        matcher.add([pattern]);
        if (line.trim().startsWith('!')) restored.push(cleaned(line.trim().slice(1)));
      });
      plainCache(matcher);
    },
  };
}

/** Git's rules: a pattern without a slash counts at any depth, one with a slash from its file's folder; below an ignored folder nothing comes back. */
function gitMatcher(defaults: readonly string[]): Matcher {
  const matcher = gitRules({ ignorecase: false });
  matcher.add([...defaults]);
  return {
    ignores: (path, isFolder) => matcher.ignores(isFolder ? `${path}/` : path),
    mayRestoreBelow: () => false,
    add({ path, text }) {
      const folder = path.split('/').slice(0, -1);
      const prefix = folder.map((name) => name.replace(/[\\*?[\]]/g, '\\$&')).join('/');
      for (const line of textLines(text)) {
        if (line.startsWith('#') || line.trim() === '') continue;
        matcher.add([prefix === '' ? line : anchored(prefix, line)]);
      }
    },
  };
}

/** A rule of a `.gitignore` below the root, as one that says the same at the root. */
function anchored(prefix: string, line: string): string {
  const sign = line.startsWith('!') ? '!' : '';
  const pattern = line.slice(sign.length);
  const hasSlash = pattern.trimEnd().slice(0, -1).includes('/');
  return `${sign}/${prefix}/${hasSlash ? pattern.replace(/^\//, '') : `**/${pattern}`}`;
}

function textLines(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/);
}

/** Go's matcher knows `* ? [ ] \` only; the port hands the rest of a pattern to a JavaScript expression as it is. */
function escapedAsInGo(pattern: string): string {
  return pattern.replace(/\\.|[+(){}|]/g, (found) => (found.length > 1 ? found : `\\${found}`));
}

function checkPattern(pattern: string, place: string): void {
  try {
    dockerRules({ ignorecase: false }).add([pattern]).ignores('x');
  } catch {
    const message = `${place}: this pattern cannot be understood: ${pattern}`;
    throw new BerthError('CONFIG_INVALID', {
      detail: message,
      problems: [{ at: place.split(':')[0] ?? '', message, line: Number(place.split(':')[1]) }],
    });
  }
}

/** The port remembers answers in a plain object, in which a file named `constructor` seems to have one already. */
function plainCache(matcher: object): void {
  Object.assign(matcher, { _cache: Object.create(null) });
}

/** `/a/./b/` → `a/b`, as Go's filepath.Clean and Docker do. */
function cleaned(pattern: string): string {
  return pattern
    .trim()
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}

/** Whether a pattern may match something below a folder: compared name by name up to the first with a wildcard. */
function reachesBelow(pattern: string, folder: string): boolean {
  const names = pattern.split('/');
  const above = folder.split('/');
  for (const [index, name] of above.entries()) {
    const own = names[index];
    if (own === undefined) return true;
    if (/[*?[\\]/.test(own)) return true;
    if (own !== name) return false;
  }
  return true;
}
