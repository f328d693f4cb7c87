/** What an upload may contain: the same rules on the client, before anything is sent, and on the server. */
import type { Problem } from './errors.ts';
import { BOUNDS } from './limits.ts';
import type { Manifest, ManifestEntry } from './model.ts';

/** More problems than this help nobody: the list is cut here. */
const MAX_PROBLEMS = 50;
/** Longest name of one file or folder on the usual file systems, in bytes. */
const SEGMENT_BYTES = 255;
/** As in Linux: more links than this in one look-up count as a loop. */
const MAX_LINK_HOPS = 40;
/** Steps for following all links of a manifest, so that a hostile one cannot keep the server busy. */
const LINK_STEPS = 2_000_000;

/** Length in UTF-8, in bytes. A lone surrogate counts as the three bytes of U+FFFD. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * What is wrong with a path of an upload, as the end of a sentence that begins with it; undefined when it is fine.
 * Fine is: relative, `/` between names, no empty, `.` or `..` name, no backslash or control character, whole UTF-8, bounded.
 */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  const text = textProblem(path);
  if (text !== undefined) return text;
  if (path.startsWith('/')) return 'is absolute; paths are relative to the folder';
  for (const name of path.split('/')) {
    if (name === '') return 'has an empty name in it (two slashes, or one at the end)';
    if (name === '.' || name === '..') return `has "${name}" in it; paths must be normalised`;
    if (utf8Bytes(name) > SEGMENT_BYTES) return `has a name longer than ${SEGMENT_BYTES} bytes`;
  }
  return undefined;
}

/**
 * Everything that is wrong with an upload, at most 50 places; none means: no entry can name, write or
 * link to a place outside the folder, and all counts and sizes are within `BOUNDS`.
 */
export function checkManifest(manifest: Manifest): readonly Problem[] {
  if (manifest.length > BOUNDS.uploadFiles) {
    return [
      {
        at: '',
        message: `${manifest.length} entries are too many: at most ${BOUNDS.uploadFiles} are allowed`,
      },
    ];
  }
  const problems: Problem[] = [];
  const report = (at: string, message: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ at, message: `${quoted(at)} ${message}` });
  };

  const kinds = new Map<string, ManifestEntry['kind']>();
  const links = new Map<string, string>();
  let bytes = 0;
  for (const entry of manifest) {
    const path = pathProblem(entry.path);
    if (path !== undefined) report(entry.path, path);
    if (kinds.has(entry.path)) report(entry.path, 'is there twice');
    kinds.set(entry.path, entry.kind);
    const own = entryProblem(entry);
    if (own !== undefined) report(entry.path, own);
    if (entry.kind === 'file') bytes += entry.bytes;
    if (entry.kind === 'symlink') links.set(entry.path, entry.target);
  }
  if (bytes > BOUNDS.uploadBytes) {
    problems.push({
      at: '',
      message: `the files are ${bytes} bytes together: at most ${BOUNDS.uploadBytes} are allowed`,
    });
  }

  for (const path of kinds.keys()) {
    const parent = parentThatIsNoFolder(path, kinds);
    if (parent !== undefined) {
      report(path, `lies below ${quoted(parent)}, which is a ${kinds.get(parent)}`);
    }
  }
  const budget = { steps: LINK_STEPS };
  for (const [path, target] of links) {
    const problem = linkProblem(path, target, links, budget);
    if (problem !== undefined) report(path, problem);
  }
  return problems;
}

/**
 * What is wrong with a symbolic link, as the end of a sentence that begins with its path; undefined when it stays inside.
 * Links on the way (`links`: path → target) are followed as the kernel does, so `..` after a link counts from where that
 * link leads. A target that does not exist is fine.
 */
export function linkProblem(
  path: string,
  target: string,
  links: ReadonlyMap<string, string>,
  budget: { steps: number } = { steps: LINK_STEPS },
): string | undefined {
  const text = target === '' ? 'is empty' : textProblem(target);
  if (text !== undefined) return `is a symbolic link whose target ${text}`;
  const outside = `is a symbolic link to ${quoted(target)}, which leads out of the folder`;
  if (target.startsWith('/')) return outside;

  const here = path.split('/').slice(0, -1);
  const ahead = target.split('/').reverse();
  let hops = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    budget.steps -= 1;
    if (budget.steps < 0) return 'is one of too many symbolic links to follow';
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (here.pop() === undefined) return outside;
      continue;
    }
    here.push(name);
    const next = links.get(here.join('/'));
    if (next === undefined) continue;
    hops += 1;
    if (hops > MAX_LINK_HOPS)
      return `is a symbolic link to ${quoted(target)}, which goes round in circles`;
    if (next.startsWith('/')) return outside;
    here.pop();
    ahead.push(...next.split('/').reverse());
  }
  return undefined;
}

/**
 * The text whose sha256 is the identity of the content: JSON of the same entries, sorted by path in code unit order,
 * keys in a fixed order, no spaces. `JSON.parse` gives the manifest back.
 */
export function canonicalManifest(manifest: Manifest): string {
  const sorted = [...manifest].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return JSON.stringify(
    sorted.map((entry) => {
      const { kind, path } = entry;
      switch (entry.kind) {
        case 'file':
          return { kind, path, mode: entry.mode, bytes: entry.bytes, sha256: entry.sha256 };
        case 'symlink':
          return { kind, path, target: entry.target };
        case 'directory':
          return { kind, path, mode: entry.mode };
      }
    }),
  );
}

function entryProblem(entry: ManifestEntry): string | undefined {
  switch (entry.kind) {
    case 'symlink':
      return undefined;
    case 'directory':
      return modeProblem(entry.mode);
    case 'file': {
      if (!/^[0-9a-f]{64}$/.test(entry.sha256)) return 'has no sha256 of 64 lower-case hex digits';
      if (!Number.isSafeInteger(entry.bytes) || entry.bytes < 0)
        return 'has a size that is no whole number';
      if (entry.bytes > BOUNDS.uploadFileBytes) {
        return `is ${entry.bytes} bytes: at most ${BOUNDS.uploadFileBytes} are allowed for one file`;
      }
      return modeProblem(entry.mode);
    }
  }
}

function modeProblem(mode: number): string | undefined {
  return Number.isInteger(mode) && mode >= 0 && mode <= 0o777
    ? undefined
    : `has the mode ${mode}: only permission bits (0 to 0o777) are allowed`;
}

/** What holds for paths and link targets alike. */
function textProblem(text: string): string | undefined {
  if (text.includes('\\')) return 'has a backslash in it';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'has a control character in it';
  if (/[\uD800-\uDFFF]/u.test(text)) return 'is not whole Unicode text';
  const bytes = utf8Bytes(text);
  if (bytes > BOUNDS.pathBytes)
    return `is ${bytes} bytes long: at most ${BOUNDS.pathBytes} are allowed`;
  return undefined;
}

function parentThatIsNoFolder(
  path: string,
  kinds: ReadonlyMap<string, ManifestEntry['kind']>,
): string | undefined {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const parent = path.slice(0, end);
    const kind = kinds.get(parent);
    if (kind !== undefined && kind !== 'directory') return parent;
  }
  return undefined;
}

/** A path as it may be printed: quoted, control characters escaped, cut when long. */
function quoted(path: string): string {
  const text = JSON.stringify(path);
  return text.length > 200 ? `${text.slice(0, 200)}…"` : text;
}
