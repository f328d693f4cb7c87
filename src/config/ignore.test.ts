/** Proves the ignore rules case by case, against what Docker and git do. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMatcher, DEFAULTS, type IgnoreText } from './ignore.ts';

const docker = (text: string, defaults: readonly string[] = []) =>
  createMatcher('docker', [{ path: '.dockerignore', text }], defaults);

describe('Docker’s rules', () => {
  // Rules, a path, and whether it is left out.
  it.each<[string, string, boolean]>([
    ['secret.txt', 'secret.txt', true],
    ['secret.txt', 'sub/secret.txt', false],
    ['*.log', 'a.log', true],
    ['*.log', 'sub/a.log', false],
    ['**/*.log', 'a.log', true],
    ['**/*.log', 'sub/deep/a.log', true],
    ['*/temp*', 'sub/temporary', true],
    ['*/temp*', 'temporary', false],
    ['*/*/temp*', 'a/b/tempx', true],
    ['temp?', 'tempa', true],
    ['temp?', 'temp', false],
    ['docs', 'docs/a/b.md', true],
    ['docs/', 'docs/a/b.md', true],
    ['/docs', 'docs/a.md', true],
    ['./docs', 'docs/a.md', true],
    ['docs/../other', 'other/a.md', true],
    ['docs/*', 'docs/a.md', true],
    ['docs/**', 'docs/a/b.md', true],
    ['**/docs', 'x/docs/a.md', true],
    ['x/**/y', 'x/y', true],
    ['x/**/y', 'x/a/b/y', true],
    ['  spaced  ', 'spaced', true],
    ['# comment', '# comment', false],
    [' # not a comment', '# not a comment', true],
    ['\\#real', '#real', true],
    ['', 'a', false],
    ['[ab].txt', 'a.txt', true],
    ['[ab].txt', 'c.txt', false],
    ['Secret', 'secret', false],
    ['a+b (1).txt', 'a+b (1).txt', true],
    ['c++', 'c++', true],
    ['a{1}', 'a1', false],
    ['a|b', 'a', false],
    ['.', 'a', false],
    // Taking back in: the last line that matches wins, also below a folder that is left out.
    ['*\n!main.c', 'main.c', false],
    ['*\n!main.c', 'other.c', true],
    ['*\n!src', 'src/a/b.c', false],
    ['*\n!src/**/*.c', 'src/a/b.c', false],
    ['*\n!src/**/*.c', 'src/a/b.h', true],
    ['*.md\n!README.md', 'README.md', false],
    ['*.md\n!README*.md\nREADME-secret.md', 'README-secret.md', true],
    ['!README.md\n*.md', 'README.md', true],
    ['*\r\n!main.c\r\n', 'main.c', false],
    ['\uFEFFsecret', 'secret', true],
    ['*\n! spaced', 'spaced', false],
    // Names that every JavaScript object seems to have.
    ['other', 'constructor', false],
    ['constructor', 'constructor', true],
    ['*', '__proto__', true],
    ['*', 'toString', true],
  ])('%j leaves out %j: %j', (rules, path, expected) => {
    expect(docker(rules).ignores(path, false)).toBe(expected);
  });

  it('leave out the defaults at any depth, until a line takes them back', () => {
    for (const path of [
      'node_modules/a',
      'x/node_modules/a',
      '.DS_Store',
      'a/.b.swp',
      '.env.local',
    ]) {
      expect(docker('', DEFAULTS).ignores(path, false)).toBe(true);
    }
    expect(docker('', DEFAULTS).ignores('.env', false)).toBe(false);
    expect(docker('!node_modules', DEFAULTS).ignores('node_modules/a', false)).toBe(false);
    expect(docker('!node_modules', DEFAULTS).ignores('x/node_modules/a', false)).toBe(true);
  });

  it('let a folder be skipped only when nothing below it can come back', () => {
    const matcher = docker('*\n!src/app\n!docs/*.md');
    expect(matcher.mayRestoreBelow('src')).toBe(true);
    expect(matcher.mayRestoreBelow('src/app')).toBe(true);
    expect(matcher.mayRestoreBelow('src/app/x')).toBe(true);
    expect(matcher.mayRestoreBelow('src/lib')).toBe(false);
    expect(matcher.mayRestoreBelow('docs')).toBe(true);
    expect(matcher.mayRestoreBelow('other')).toBe(false);
    expect(docker('*\n!**/x').mayRestoreBelow('any/where')).toBe(true);
    expect(docker('*').mayRestoreBelow('a')).toBe(false);
  });

  it('never skip a folder with something to take back (property)', () => {
    const names = fc.constantFrom('a', 'b', '*', '**', 'a*', '?');
    const pattern = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    const line = fc.tuple(fc.boolean(), pattern).map(([back, text]) => (back ? `!${text}` : text));
    const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), path, (lines, parts) => {
        const matcher = docker(lines.join('\n'));
        if (matcher.ignores(parts.join('/'), false)) return;
        for (let length = 1; length < parts.length; length += 1) {
          const folder = parts.slice(0, length).join('/');
          expect(!matcher.ignores(folder, true) || matcher.mayRestoreBelow(folder)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('name file and line of a pattern that is none', () => {
    expect(() => docker('ok\n\n[a')).toThrow(
      /^\.dockerignore:3: this pattern cannot be understood: \[a$/,
    );
  });
});

describe('git’s rules', () => {
  /** What git itself says about each path; folders have a slash at the end. */
  function gitSays(files: readonly IgnoreText[], paths: readonly string[]): readonly string[] {
    const root = mkdtempSync(join(tmpdir(), 'berth-git-'));
    try {
      const git = (...args: string[]) =>
        execFileSync('git', ['-c', 'core.excludesFile=/dev/null', ...args], {
          cwd: root,
          encoding: 'utf8',
          env: { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1' },
        });
      git('init', '-q');
      for (const path of paths) {
        mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true });
        if (!path.endsWith('/')) writeFileSync(join(root, path), '');
      }
      for (const { path, text } of files) {
        mkdirSync(join(root, dirname(path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      const kept = git('ls-files', '-z', '--others', '--exclude-standard').split('\0');
      return paths.filter((path) => !path.endsWith('/') && !kept.includes(path)).toSorted();
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  /** What we say, asking folder by folder as the walk does. */
  function weSay(files: readonly IgnoreText[], paths: readonly string[]): readonly string[] {
    const matcher = createMatcher('git', files);
    return paths
      .filter((path) => {
        const parts = path.split('/');
        return parts.some((_, index) =>
          matcher.ignores(parts.slice(0, index + 1).join('/'), index < parts.length - 1),
        );
      })
      .toSorted();
  }

  const paths = [
    'a.log',
    'b.txt',
    'build/x',
    'sub/a.log',
    'sub/build/x',
    'sub/deep/a.log',
    'sub/deep/b.txt',
    'sub/b.txt',
    'sub [1]/a.log',
    'sub [1]/b.txt',
    '#x',
    '!x',
  ];

  it.each<[string, readonly IgnoreText[]]>([
    ['a name at any depth', [{ path: '.gitignore', text: '*.log' }]],
    ['from the root', [{ path: '.gitignore', text: '/a.log\n/sub/b.txt' }]],
    ['folders only', [{ path: '.gitignore', text: 'build/\nb.txt/' }]],
    ['take back in', [{ path: '.gitignore', text: '*.log\n!sub/a.log' }]],
    ['not below an ignored folder', [{ path: '.gitignore', text: 'sub/\n!sub/a.log' }]],
    ['escapes', [{ path: '.gitignore', text: '\\#x\n\\!x' }]],
    ['a file further down', [{ path: 'sub/.gitignore', text: '*.log\n/b.txt' }]],
    [
      'a file further down wins',
      [
        { path: '.gitignore', text: '*.log' },
        { path: 'sub/.gitignore', text: '!a.log' },
      ],
    ],
    [
      'a file further down takes a folder back',
      [
        { path: '.gitignore', text: 'build/' },
        { path: 'sub/.gitignore', text: '!build/' },
      ],
    ],
    [
      'three levels',
      [
        { path: '.gitignore', text: '*.txt' },
        { path: 'sub/.gitignore', text: '!*.txt' },
        { path: 'sub/deep/.gitignore', text: 'b.txt' },
      ],
    ],
    ['a folder with special characters', [{ path: 'sub [1]/.gitignore', text: '*.log' }]],
    ['crossing folders', [{ path: '.gitignore', text: 'sub/**/a.log' }]],
    ['escapes further down', [{ path: 'sub/.gitignore', text: '\\a.log  \n# b.txt' }]],
  ])('%s: as git does', (_name, files) => {
    expect(weSay(files, paths)).toEqual(gitSays(files, paths));
  });
});
