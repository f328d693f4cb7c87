/** The layout holds: who imports whom, purity of core, one home for time and chance, a first sentence in each file. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTest, judgeFirstLines, judgeImports, judgeWords } from './architecture/judge.ts';
import { readSource, readSources } from './architecture/read.ts';
import { AT_HOME, IMPURE, type Part, PARTS, TIME_AND_CHANCE } from './architecture/table.ts';

const root = join(import.meta.dirname, '..');
const program = readSources(root, ['src/**/*.ts', 'sim/**/*.ts']);
const everything = readSources(root, ['{src,sim,bench,script,test}/**/*.ts', '*.ts']);

describe('the source', () => {
  test('was found', () => {
    expect(program.length).toBeGreaterThan(10);
  });

  test('imports only what the table allows, and the table allows only what is used', () => {
    expect(judgeImports(program, PARTS)).toEqual([]);
  });

  test('decides in core without time, chance, waiting or the outside world', () => {
    const core = program.filter((file) => file.path.startsWith('src/core/') && !isTest(file.path));
    expect(judgeWords(core, IMPURE, 'in src/core')).toEqual([]);
  });

  test('has time and chance in src/system alone', () => {
    const others = program.filter((file) => !AT_HOME.includes(file.path) && !isTest(file.path));
    expect(judgeWords(others, TIME_AND_CHANCE, 'outside src/system')).toEqual([]);
  });

  test('says in the first line of each file what it is for', () => {
    expect(judgeFirstLines(everything)).toEqual([]);
  });
});

const impure: readonly (readonly [word: string, text: string])[] = [
  ['Date', 'export const f = () => new Date(5);'],
  ['Date', 'export type X = { at: Date };'],
  ['Math.random', 'export const f = () => Math.random();'],
  ['async', 'export async function f() {}'],
  ['async', 'export const f = async () => 1;'],
  ['await', 'await f();'],
  ['await', 'for await (const x of y) {}'],
  ['Promise', 'export type X = Promise<void>;'],
  ['performance', 'performance.now();'],
  ['process', 'export const f = process;'],
  ['console', "console.log('x');"],
  ['setTimeout', 'setTimeout(f, 5);'],
  ['setInterval', 'const later = setInterval;'],
  ['setImmediate', 'setImmediate(f);'],
  ['queueMicrotask', 'queueMicrotask(f);'],
  ['fetch', "fetch('x');"],
  ['crypto', 'crypto.subtle;'],
  ['globalThis', "globalThis['Date'];"],
];

const timeAndChance: readonly (readonly [word: string, text: string])[] = [
  ['setTimeout', 'setTimeout(f, 5);'],
  ['setTimeout', "import { setTimeout } from 'node:timers/promises';"],
  ['setInterval', 'setInterval(f, 5);'],
  ['AbortSignal.timeout', 'AbortSignal.timeout(5);'],
  ['Date.now', 'Date.now();'],
  ['new Date()', 'new Date();'],
  ['performance.now', 'performance.now();'],
  ['Math.random', 'Math.random();'],
  ['randomBytes', "import { randomBytes } from 'node:crypto';"],
  ['randomUUID', "import { randomUUID } from 'node:crypto';"],
  ['randomInt', "import { randomInt } from 'node:crypto';"],
];

describe('the judge', () => {
  const parts: readonly Part[] = [
    { name: 'core', may: {}, packages: [], node: false, because: 'core is pure' },
    {
      name: 'router',
      may: { core: 'words' },
      packages: ['undici'],
      node: true,
      because: 'parts never import each other',
    },
    { name: 'engines', may: { core: 'words' }, packages: [], node: true, because: 'drivers' },
    { name: 'server.ts', may: { router: 'wiring' }, packages: [], node: true, because: 'wiring' },
  ];
  const good: Readonly<Record<string, string>> = {
    'src/core/model.ts': 'export type A = 1;',
    'src/router/proxy.ts':
      "import type { A } from '../core/model.ts'; import { Pool } from 'undici/lib/pool.js'; import './room.ts';",
    'src/router/proxy.test.ts': "import '../server.ts'; import 'vitest';",
    'src/engines/podman/start.ts':
      "import { A } from '../../core/model.ts'; import '../shared.ts';",
    'src/engines/shared.ts': "import { join } from 'node:path';",
    'src/server.ts': "import './router/proxy.ts';",
  };
  const judge = (changes: Readonly<Record<string, string>>) =>
    judgeImports(
      Object.entries({ ...good, ...changes }).map(([path, text]) => readSource(path, text)),
      parts,
    );

  test('is content with what the table allows', () => {
    expect(judge({})).toEqual([]);
  });

  test.each([
    ['a static import', "import { x } from '../router/proxy.ts';"],
    ['a type', "import type { x } from '../router/proxy.ts';"],
    ['an import for its effect', "import '../router/proxy.ts';"],
    ['a re-export', "export * from '../router/proxy.ts';"],
    ['a dynamic import', "export const x = () => import('../router/proxy.ts');"],
    ['an import type', "export type X = import('../router/proxy.ts').X;"],
  ])('sees %s across a forbidden edge and says why', (_, text) => {
    expect(judge({ 'src/core/bad.ts': text })).toEqual([
      'src/core/bad.ts:1: core must not import router (../router/proxy.ts): core is pure',
    ]);
  });

  test.each([
    ["Node's modules where they are not allowed", 'src/core/bad.ts', "import 'node:fs';"],
    ['packages that the row does not name', 'src/router/bad.ts', "import 'fastify';"],
    [
      'a driver that knows its neighbour',
      'src/engines/memory/bad.ts',
      "import '../podman/start.ts';",
    ],
    ['a test imported by the program', 'src/router/bad.ts', "import './proxy.test.ts';"],
    ['a computed import', 'src/router/bad.ts', 'export const x = (y: string) => import(y);'],
    ['a folder without a row', 'src/edge/start.ts', ''],
  ])('forbids %s', (_, path, text) => {
    expect(judge({ [path]: text })).toHaveLength(1);
  });

  test('forbids rows, edges and packages that nothing uses', () => {
    const rows: readonly Part[] = [
      { name: 'core', may: { ports: '' }, packages: ['zod'], node: false, because: '' },
      { name: 'edge', may: {}, packages: [], node: true, because: '' },
    ];
    expect(judgeImports([readSource('src/core/model.ts', '')], rows)).toEqual([
      'the table allows core → ports, which nothing uses: remove it',
      'the table allows core → zod, which nothing uses: remove it',
      'the table has a row for edge, which has no file: remove it',
    ]);
  });

  test.each(impure)('finds %s in core and says what to use instead: %s', (word, text) => {
    const findings = judgeWords([readSource('src/core/bad.ts', text)], IMPURE, 'in src/core');
    expect(findings).toContainEqual(
      expect.stringMatching(
        new RegExp(`^src/core/bad\\.ts:1: no \`${word}\` in src/core; instead: .{10}`),
      ),
    );
  });

  test('was shown a sample of every banned word', () => {
    const shown = (samples: readonly (readonly string[])[]) => [
      ...new Set(samples.map(([word]) => word)),
    ];
    expect(shown(impure)).toEqual(IMPURE.map((ban) => ban.word));
    expect(shown(timeAndChance)).toEqual(TIME_AND_CHANCE.map((ban) => ban.word));
  });

  test.each(timeAndChance)('finds %s outside src/system: %s', (word, text) => {
    const findings = judgeWords([readSource('src/a.ts', text)], TIME_AND_CHANCE, 'here');
    expect(findings.filter((finding) => finding.includes(`\`${word}\``))).toHaveLength(1);
  });

  test.each([
    'new Date(clock.now()).toISOString();',
    'socket.setTimeout(5);',
    'export interface Options { readonly process: string; setTimeout(): void }',
    'const options = { fetch: 1, console: 2 };',
    "const text = 'Date.now() and await';",
    '/** Resolves a Promise with Date.now(). */',
  ])('lets pass what only looks like it: %s', (text) => {
    expect(judgeWords([readSource('src/a.ts', text)], TIME_AND_CHANCE, 'here')).toEqual([]);
  });

  test.each(['', 'export const x = 1;', '// A comment of another kind.', '/** Short. */', '/***/'])(
    'misses the first sentence in %j',
    (text) => {
      expect(judgeFirstLines([readSource('src/a.ts', text)])).toHaveLength(1);
    },
  );

  test.each([
    '/** The catalogue: every failure a person can meet. */\n',
    '#!/usr/bin/env node\n/**\n * What runs containers. One instance = one container.\n */\n',
  ])('accepts the first sentence in %j', (text) => {
    expect(judgeFirstLines([readSource('src/a.ts', text)])).toEqual([]);
  });
});
