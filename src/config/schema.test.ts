/** Proves which configurations are accepted, what they mean, and that describing one loses nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Configuration } from '../core/model.ts';
import { plainVariable, splitVariables } from '../core/secret.ts';
import {
  type ConfigFile,
  checkSlot,
  configFileSchema,
  describeConfiguration,
  toConfiguration,
} from './schema.ts';

/** Configurations as people wrote them in 2018, in the forms that the platform of that time accepted. */
const OF_2018: readonly [string, unknown][] = [
  ['the serverless beta switch', { type: 'docker', features: { cloud: 'v2' } }],
  ['the switch without a type', { features: { cloud: 'v2' } }],
  ['with a version', { version: 1, type: 'docker', features: { cloud: 'v2' } }],
  ['with public', { type: 'docker', public: true, features: { cloud: 'v2' } }],
  [
    'slot and limits',
    {
      name: 'node-function',
      type: 'docker',
      features: { cloud: 'v2' },
      slot: 'c.125-m512',
      limits: { maxConcurrentReqs: 1, duration: 300000, timeout: 60000 },
    },
  ],
  ['the large slot', { slot: 'c1-m4096', features: { cloud: 'v2' } }],
  ['the longest limits', { limits: { duration: 900000, maxConcurrentReqs: 256, timeout: 900000 } }],
  ['scale in one region', { scale: { sfo1: { min: 0, max: 1 } } }],
  ['scale by auto', { scale: { all: { min: 1, max: 'auto' } } }],
  ['scale in two regions', { scale: { sfo1: { min: 1, max: 5 }, bru1: { min: 0, max: 'auto' } } }],
  ['regions', { name: 'api', regions: ['sfo1', 'bru', 'all'] }],
  ['env', { env: { NODE_ENV: 'production', EMPTY: '' } }],
  ['env as names', { env: ['DATABASE_NAME'] }],
  ['env of secrets', { env: { DATABASE_URL: '@database-url' } }],
  ['build env', { build: { env: { COMMIT: 'abc' } } }],
  ['alias as text', { alias: 'zeit-chat' }],
  ['alias as array', { alias: ['cool.example.com', 'my-app'] }],
  ['files', { files: ['hello.png', 'dist', './src', 'lib/'] }],
  ['dotenv', { dotenv: true }],
  ['a dotenv file', { dotenv: '.env.production' }],
  ['npm', { type: 'npm', forwardNpm: true, engines: { node: '^6.0.0' } }],
  [
    'static',
    { type: 'static', static: { rewrites: [{ source: '**', destination: '/index.html' }] } },
  ],
  [
    'the static headers',
    { static: { headers: [{ source: '/a', headers: [{ key: 'a', value: 'b' }] }] } },
  ],
  [
    'github',
    { github: { enabled: false, autoAlias: true, autoJobCancelation: false, silent: true } },
  ],
  ['service', { service: { port: 80 } }],
  ['api', { api: 'https://api.example.com' }],
  ['nothing', {}],
];

describe('a now.json of 2018 is accepted:', () => {
  it.each(OF_2018)('%s', (_name, file) => {
    expect(configFileSchema.safeParse(file).error?.issues).toBeUndefined();
  });
});

describe('what a file says', () => {
  it('is filled up with the defaults', () => {
    expect(toConfiguration({})).toEqual({
      slot: { cpus: 0.125, memoryMiB: 512 },
      limits: { maxConcurrentReqs: 10, durationMs: 300_000, timeoutMs: 60_000 },
      scale: { min: 0, max: 10 },
      idle: 'freeze',
      env: {},
      buildEnv: {},
    });
  });

  it('is taken over key by key', () => {
    expect(
      toConfiguration({
        slot: 'c1-m2048',
        limits: { duration: 5000 },
        idle: 'stop',
        build: { env: { A: '1' }, dockerfile: './docker/Dockerfile' },
        port: 3000,
        healthPath: '/healthz',
        command: ['node', 'x.js'],
        wake: { methods: ['GET'], ignorePaths: ['*.php'] },
      }),
    ).toEqual({
      slot: { cpus: 1, memoryMiB: 2048 },
      limits: { maxConcurrentReqs: 10, durationMs: 5000, timeoutMs: 60_000 },
      scale: { min: 0, max: 10 },
      idle: 'stop',
      env: {},
      buildEnv: { A: '1' },
      dockerfile: 'docker/Dockerfile',
      port: 3000,
      healthPath: '/healthz',
      command: ['node', 'x.js'],
      wake: { methods: ['GET'], ignorePaths: ['*.php'] },
    });
    expect(toConfiguration({ wake: {} })).not.toHaveProperty('wake');
  });

  it.each<[ConfigFile['scale'], { min: number; max: number }]>([
    [undefined, { min: 0, max: 10 }],
    [{}, { min: 0, max: 10 }],
    [{ min: 2 }, { min: 2, max: 10 }],
    [{ min: 20 }, { min: 20, max: 20 }],
    [{ max: 'auto' }, { min: 0, max: 10 }],
    [{ max: 3 }, { min: 0, max: 3 }],
    [{ sfo1: { min: 1, max: 5 } }, { min: 1, max: 5 }],
    [
      { sfo1: { min: 1, max: 5 }, bru1: { min: 3, max: 4 } },
      { min: 3, max: 5 },
    ],
    [{ sfo1: { min: 12, max: 'auto' } }, { min: 12, max: 12 }],
    [{ min: { min: 1, max: 2 } }, { min: 1, max: 2 }],
  ])('scale %j means %j', (scale, meaning) => {
    expect(toConfiguration({ scale }).scale).toEqual(meaning);
  });

  it('takes the port from service when that is where it is', () => {
    expect(toConfiguration({ service: { port: 8000 } }).port).toBe(8000);
    expect(configFileSchema.safeParse({ port: 1, service: { port: 2 } }).success).toBe(false);
  });
});

describe('variables', () => {
  it('given for one deploy win over the file, and the file over dotenv', () => {
    const configuration = toConfiguration(
      { env: { A: 'file', B: 'file' } },
      { env: { A: 'given', X: 'new' }, dotenv: { B: 'dotenv', C: 'dotenv' } },
    );
    expect(configuration.env).toEqual({ A: 'given', B: 'file', C: 'dotenv', X: 'new' });
  });

  it('that are only named take the value that was given', () => {
    expect(toConfiguration({ env: ['A'] }, { env: { A: '1' } }).env).toEqual({ A: '1' });
    expect(problemsOf(() => toConfiguration({ env: ['A', 'B'] }, { env: { A: '1' } }))).toEqual([
      ['env[1]', 'B has a name but no value: give it with --env B=…'],
    ]);
  });

  it('that name a secret are kept as they are, from the file, the command line and dotenv', () => {
    const file = { env: { DB: '@db', OTHER: '@other' } };
    const given = { env: { OTHER: '@mine' }, dotenv: { DOT: '@dot' } };
    expect(toConfiguration(file, given).env).toEqual({ DB: '@db', OTHER: '@mine', DOT: '@dot' });
  });

  it('of the build may not name one, because they stay in the image', () => {
    const file = { build: { env: { KEY: '@key', PLAIN: '@@plain' } } };
    expect(problemsOf(() => toConfiguration(file), 'SECRET_IN_BUILD')).toEqual([
      ['build.env.KEY', expect.stringContaining('a build argument stays readable in the image')],
    ]);
    const given = { buildEnv: { KEY: 'y' } };
    expect(toConfiguration(file, given).buildEnv).toEqual({ KEY: 'y', PLAIN: '@plain' });
  });

  it('that name what cannot be a secret are refused with the way to mean it plainly', () => {
    expect(problemsOf(() => toConfiguration({ env: { A: '@', B: '@not a name' } }))).toEqual([
      ['env.A', expect.stringContaining('write "@@"')],
      ['env.B', expect.stringContaining('write "@@not a name"')],
    ]);
  });

  it('begin with a plain @ after another @, or after a backslash as in 2018', () => {
    const env = { A: '\\@x', B: '\\\\@x', C: '\\x', D: '@@x' };
    const configuration = toConfiguration({ env, build: { env } });
    expect(splitVariables(configuration.env)).toEqual({
      plain: { A: '@x', B: '\\@x', C: '\\x', D: '@x' },
      secret: {},
    });
    expect(configuration.buildEnv).toEqual({ A: '@x', B: '\\@x', C: '\\x', D: '@x' });
  });
});

describe('describing a configuration', () => {
  const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const names = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/);
  const values = fc.oneof(words, fc.stringMatching(/^\\{0,3}@.{0,5}$/), fc.constant(''));
  const bounded = (bounds: { min: number; max: number }) => fc.integer(bounds);
  const configurations: fc.Arbitrary<Configuration> = fc.record(
    {
      slot: fc.record({
        cpus: fc.oneof(
          fc.constantFrom(0.125, 0.25, 0.5, 1, 2, 64),
          fc.integer({ min: 125, max: 9999 }).map((m) => m / 1000),
        ),
        memoryMiB: fc.integer({ min: BOUNDS.slotMemoryMiB.min, max: 1_000_000 }),
      }),
      limits: fc.record({
        maxConcurrentReqs: bounded(BOUNDS.maxConcurrentReqs),
        durationMs: bounded(BOUNDS.durationMs),
        timeoutMs: bounded(BOUNDS.timeoutMs),
      }),
      scale: fc
        .tuple(bounded(BOUNDS.scale), bounded(BOUNDS.scale))
        .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) })),
      idle: fc.constantFrom('freeze', 'stop', 'run'),
      env: fc.dictionary(names, values.map(plainVariable), { noNullPrototype: true }),
      buildEnv: fc.dictionary(names, values, { noNullPrototype: true }),
      dockerfile: fc.constantFrom('Dockerfile', 'docker/Dockerfile.prod'),
      port: fc.integer({ min: 1, max: 65_535 }),
      healthPath: fc.constantFrom('/', '/healthz?x=1'),
      command: fc.array(words, { minLength: 1, maxLength: 4 }),
      wake: fc.oneof(
        fc.record({ methods: fc.constant(['GET', 'M-SEARCH']), paths: fc.constant(['/a/*', '*']) }),
        fc.record({ ignorePaths: fc.constant(['*.php']), ignoreUserAgents: fc.constant(['bot']) }),
      ),
    },
    { requiredKeys: ['slot', 'limits', 'scale', 'idle', 'env', 'buildEnv'] },
  );

  it('gives a file that is valid and means the same', () => {
    fc.assert(
      fc.property(configurations, (configuration) => {
        const file = describeConfiguration(configuration);
        const wire = configFileSchema.parse(JSON.parse(JSON.stringify(file)));
        expect(toConfiguration(wire)).toEqual(configuration);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a slot', () => {
  const host = { cpus: 2, memoryMiB: 4096 };
  it.each([
    { cpus: 0.125, memoryMiB: 64 },
    { cpus: 2, memoryMiB: 4096 },
  ])('fits: %j', (slot) => {
    expect(() => checkSlot(slot, host)).not.toThrow();
  });
  it.each([
    [{ cpus: 4, memoryMiB: 512 }, /c4-m512: 4 CPU cores are more than the 2/],
    [{ cpus: 1, memoryMiB: 8192 }, /8192 MiB of memory are more than the 4096 MiB/],
    [{ cpus: 0.1, memoryMiB: 512 }, /smallest CPU share is c0.125/],
    [{ cpus: 1, memoryMiB: 32 }, /smallest memory is m64/],
    [{ cpus: Number.NaN, memoryMiB: 512 }, /smallest CPU share/],
  ])('does not fit: %j', (slot, message) => {
    expect(() => checkSlot(slot, host)).toThrow(message);
    expect(() => checkSlot(slot, host)).toThrow(
      expect.objectContaining({ code: 'SLOT_UNAVAILABLE' }),
    );
  });
  it.each([
    'c.1-m512',
    'c1-m63',
    'c1',
    '1-512',
    'staging-c1-m512',
    'c1-m512 ',
    'C1-M512',
    'c99999-m512',
    `c1-m${'9'.repeat(400)}`,
  ])('is no slot at all: %s', (slot) => {
    expect(configFileSchema.safeParse({ slot }).success).toBe(false);
  });
});

function problemsOf(
  action: () => unknown,
  code: BerthError['code'] = 'CONFIG_INVALID',
): readonly (readonly [string, string])[] {
  try {
    action();
  } catch (error) {
    if (error instanceof BerthError && error.code === code) {
      return error.problems.map(({ at, message }) => [at, message]);
    }
    throw error;
  }
  throw new Error('nothing was refused');
}
