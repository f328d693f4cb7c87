/** Draws deployments for the properties of the stores: every optional key, unicode, quotes, empty objects. */
import * as fc from 'fast-check';
import type { Deployment } from '../core/model.ts';

/** Any Unicode text, with the characters that SQL and JSON treat specially drawn often. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      "'",
      '"',
      '\\',
      '\0',
      '%',
      'null',
      "'; drop table x; --",
      '🛥',
      '\u2028',
    ),
  },
);
/** As `Clock` gives it: ms with fractions. */
const time = fc.double({ min: 0, max: 8_640_000_000_000_000, noNaN: true });
const count = fc.nat();
/**
 * No variable has a name that begins with a control character, and `JSON.parse` of Node 24.21 would get it wrong: once there was an object with
 * the one key `\\`, it reads `{"\u0000":1}` as that.
 */
const name = text.filter((drawn) => (drawn.codePointAt(0) ?? 32) >= 32);
const env = fc.dictionary(
  fc.oneof(name, fc.constantFrom('__proto__', 'constructor', 'PATH')),
  text,
  {
    maxKeys: 5,
  },
);

const configuration = fc.record(
  {
    slot: fc.record({ cpus: fc.double({ min: 0.125, max: 64, noNaN: true }), memoryMiB: count }),
    limits: fc.record({ maxConcurrentReqs: count, durationMs: count, timeoutMs: count }),
    scale: fc.record({ min: count, max: count }),
    idle: fc.constantFrom('freeze', 'stop', 'run'),
    env,
    buildEnv: env,
    dockerfile: text,
    port: fc.integer({ min: 1, max: 65_535 }),
    protocol: fc.constantFrom('http1', 'h2c'),
    healthPath: text,
    command: fc.array(text, { maxLength: 4 }),
    wake: fc.record({ methods: fc.array(text), paths: fc.array(text) }, { requiredKeys: [] }),
  },
  { requiredKeys: ['slot', 'limits', 'scale', 'idle', 'env', 'buildEnv'] },
);

const source = fc.oneof(
  fc.record({ kind: fc.constant('folder'), manifest: text, files: count, bytes: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('image'), reference: text }),
);

const image = fc.record({
  id: text,
  bytes: fc.maxSafeNat(),
  layers: fc.array(fc.record({ bytes: count, createdBy: text }), { maxLength: 3 }),
  exposedPorts: fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
});

/** Whole deployments, valid in form but not in meaning. */
export const deploymentArbitrary: fc.Arbitrary<Deployment> = fc
  .record(
    {
      id: fc.string({ minLength: 1, unit: 'binary' }),
      project: text,
      source,
      configuration,
      state: fc.constantFrom('building', 'verifying', 'ready', 'failed'),
      image,
      failure: fc.record({ code: text, detail: text }),
      createdAt: time,
      createdBy: text,
      readyAt: time,
      secrets: fc.dictionary(name, count, { maxKeys: 3 }),
      derivedFrom: text,
    },
    {
      requiredKeys: ['id', 'project', 'source', 'configuration', 'state', 'createdAt', 'createdBy'],
    },
  )
  // Ordinary objects, as JSON gives them back: fast-check draws some without a prototype.
  .map((deployment) => structuredClone(deployment));
