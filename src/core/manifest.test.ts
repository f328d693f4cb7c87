/** Proves that a manifest which passes can never name a place outside the folder. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOUNDS } from './limits.ts';
import { canonicalManifest, checkManifest, pathProblem, utf8Bytes } from './manifest.ts';
import type { Manifest, ManifestEntry } from './model.ts';

const SHA = 'a'.repeat(64);
const file = (path: string, more: Partial<Extract<ManifestEntry, { kind: 'file' }>> = {}) =>
  ({ kind: 'file', path, mode: 0o644, bytes: 1, sha256: SHA, ...more }) as const;
const link = (path: string, target: string) => ({ kind: 'symlink', path, target }) as const;
const folder = (path: string) => ({ kind: 'directory', path, mode: 0o755 }) as const;

describe('a manifest passes', () => {
  it.each<[string, Manifest]>([
    ['empty', []],
    [
      'files and folders',
      [file('Dockerfile'), folder('empty'), file('src/a b.ts'), file('src/ü/日本.txt')],
    ],
    ['a folder entry with files below', [folder('a'), file('a/b')]],
    ['names that only look like dots', [file('...'), file('..a'), file('.hidden/x')]],
    [
      'links inside',
      [file('a/b'), link('c', 'a/b'), link('d/e', '../a'), link('f', '.'), link('g', 'missing')],
    ],
    ['the widest modes', [file('a', { mode: 0 }), file('b', { mode: 0o777 })]],
    ['the longest path', [file(`${'a/'.repeat(511)}bb`)]],
  ])('%s', (_name, manifest) => {
    expect(checkManifest(manifest)).toEqual([]);
  });
});

describe('a manifest is refused', () => {
  it.each<[string, Manifest, RegExp]>([
    ['..', [file('../x')], /normalised/],
    ['.. in the middle', [file('a/../../x')], /normalised/],
    ['.', [file('./x')], /normalised/],
    ['absolute', [file('/etc/passwd')], /absolute/],
    ['empty path', [file('')], /empty/],
    ['empty name', [file('a//b')], /empty name/],
    ['trailing slash', [file('a/')], /empty name/],
    ['backslash', [file('a\\..\\b')], /backslash/],
    ['NUL', [file('a\0b')], /control character/],
    ['newline', [file('a\nb')], /control character/],
    ['lone surrogate', [file('a\ud800')], /Unicode/],
    ['path too long', [file(`${'a/'.repeat(512)}b`)], /1025 bytes/],
    ['name too long', [file('é'.repeat(128))], /255 bytes/],
    ['twice', [file('a'), file('a')], /twice/],
    ['below a file', [file('a'), file('a/b')], /lies below "a", which is a file/],
    ['far below a link', [link('a', 'b'), file('a/b/c')], /lies below "a", which is a symlink/],
    ['setuid', [file('a', { mode: 0o4755 })], /mode/],
    ['negative mode', [file('a', { mode: -1 })], /mode/],
    ['odd mode', [file('a', { mode: 0.5 })], /mode/],
    ['short hash', [file('a', { sha256: 'abc' })], /sha256/],
    ['upper-case hash', [file('a', { sha256: 'A'.repeat(64) })], /sha256/],
    ['negative size', [file('a', { bytes: -1 })], /size/],
    ['size that is not a number', [file('a', { bytes: Number.NaN })], /size/],
    ['huge file', [file('a', { bytes: BOUNDS.uploadFileBytes + 1 })], /at most/],
    ['link out', [link('a', '../x')], /leads out/],
    ['absolute link', [link('a', '/etc/passwd')], /leads out/],
    ['empty link', [link('a', '')], /empty/],
    ['link with NUL', [link('a', 'b\0')], /control character/],
    ['link out by another link', [link('x/y/z', '../..'), link('out', 'x/y/z/../q')], /leads out/],
    ['link in circles', [link('a', 'b'), link('b', 'a')], /circles/],
  ])('%s', (_name, manifest, message) => {
    const problems = checkManifest(manifest);
    expect(problems.map((problem) => problem.message).join('\n')).toMatch(message);
  });

  it('when it has too many entries, without looking at each', () => {
    const entry = file('../a');
    const problems = checkManifest(Array.from({ length: BOUNDS.uploadFiles + 1 }, () => entry));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('100001 entries');
  });

  it('when the files are too large together', () => {
    const files = Array.from({ length: 5 }, (_, index) =>
      file(`f${index}`, { bytes: BOUNDS.uploadFileBytes }),
    );
    expect(checkManifest(files).map((problem) => problem.message)).toEqual([
      expect.stringContaining('bytes together'),
    ]);
  });

  it('with all problems, each naming its path, cut at 50', () => {
    expect(checkManifest([file('/a'), file('b/..')]).map((problem) => problem.at)).toEqual([
      '/a',
      'b/..',
    ]);
    expect(checkManifest(Array.from({ length: 99 }, (_, index) => file(`/${index}`)))).toHaveLength(
      50,
    );
  });

  it('quickly, however the links are laid', () => {
    const deep = Array.from({ length: 20_000 }, (_, index) => link(`l${index}`, './'.repeat(500)));
    expect(checkManifest(deep).at(-1)?.message).toContain('too many symbolic links');
  });
});

/** Names that meet each other often, with everything that has ever been used to climb out. */
const names = fc.constantFrom('a', 'b', 'c', '..', '.', '', 'a\\b', '\0', '日', '...');
const paths = fc
  .tuple(fc.boolean(), fc.array(names, { minLength: 1, maxLength: 4 }))
  .map(([absolute, parts]) => (absolute ? '/' : '') + parts.join('/'));
const ups = (max: number) => fc.nat(max).map((count): string[] => Array(count).fill('..'));
/** Up, through something that is often a link itself, up again: what a purely textual check lets out. */
const targets = fc
  .tuple(ups(2), fc.constantFrom([], ['a', 'b', 'c']), ups(2))
  .map((parts) => parts.flat().join('/') || '.');
const links = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'a/b/c', 'a/b/c', 'a/b/d'), targets)
  .map(([path, target]) => link(path, target));
const entries: fc.Arbitrary<ManifestEntry> = fc.oneof(
  { weight: 4, arbitrary: links },
  { weight: 1, arbitrary: paths.map((path) => file(path)) },
);

describe('whatever passes', () => {
  it('has only paths that stay below the folder', () => {
    fc.assert(
      fc.property(fc.oneof(paths, fc.string({ unit: 'binary' })), (path) => {
        if (pathProblem(path) !== undefined) return;
        const root = `${sep}root`;
        expect(resolve(root, path).startsWith(root + sep)).toBe(true);
        expect(resolve(root, path)).toBe(join(root, path));
      }),
      { numRuns: 2000 },
    );
  });

  it('stays inside when it is written to a real disk and every link is followed', () => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'berth-manifest-')));
    let round = 0;
    let followed = 0;
    try {
      fc.assert(
        fc.property(fc.array(entries, { minLength: 6, maxLength: 16, size: 'max' }), (manifest) => {
          const good: ManifestEntry[] = [];
          for (const entry of manifest) {
            if (checkManifest([...good, entry]).length === 0) good.push(entry);
          }
          round += 1;
          const root = join(base, String(round), 'root');
          mkdirSync(root, { recursive: true });
          for (const entry of good) {
            mkdirSync(dirname(join(root, entry.path)), { recursive: true });
            if (entry.kind === 'symlink') symlinkSync(entry.target, join(root, entry.path));
            else writeFileSync(join(root, entry.path), '');
          }
          for (const entry of good) {
            const real = realOrUndefined(join(root, entry.path));
            if (real === undefined) continue;
            if (entry.kind === 'symlink') followed += 1;
            expect(real === root || real.startsWith(root + sep)).toBe(true);
          }
          rmSync(join(base, String(round)), { recursive: true });
        }),
        { numRuns: 800 },
      );
      expect(followed).toBeGreaterThan(20);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });
});

function realOrUndefined(path: string): string | undefined {
  try {
    // The kernel's own answer: the default of Node removes `..` from targets before it follows links.
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

describe('the canonical text', () => {
  it('does not depend on the order of entries or keys, and parses back', () => {
    const one = canonicalManifest([file('b'), link('a', 'b'), folder('Z')]);
    const two = canonicalManifest([
      { mode: 0o755, path: 'Z', kind: 'directory' },
      { target: 'b', path: 'a', kind: 'symlink' },
      { sha256: SHA, bytes: 1, mode: 0o644, path: 'b', kind: 'file' },
    ]);
    expect(two).toBe(one);
    expect(JSON.parse(one)).toEqual([folder('Z'), link('a', 'b'), file('b')]);
  });

  it('differs when content, mode or target differ', () => {
    const base = canonicalManifest([file('a')]);
    expect(canonicalManifest([file('a', { mode: 0o755 })])).not.toBe(base);
    expect(canonicalManifest([file('a', { sha256: 'b'.repeat(64) })])).not.toBe(base);
    expect(canonicalManifest([link('a', 'b')])).not.toBe(canonicalManifest([link('a', 'c')]));
  });

  it('leaves out what does not belong to an entry', () => {
    const odd = { ...file('a'), owner: 'root' };
    expect(canonicalManifest([odd])).toBe(canonicalManifest([file('a')]));
  });
});

it('counts bytes as UTF-8 does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
    }),
  );
});
