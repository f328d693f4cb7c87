/** Proves that the reference names every key with its bounds, and that the JSON Schema is one. */
import { describe, expect, it } from 'vitest';
import { BOUNDS } from '../core/limits.ts';
import { configJsonSchema, configReference, documents } from './documents.ts';
import { configFileSchema, keysWithoutEffect } from './keys.ts';
import { stackJsonSchema, stackReference } from './stack-documents.ts';

const page = configReference();
const rowOf = (key: string) => page.split('\n').find((line) => line.startsWith(`| \`${key}\` |`));

describe('the reference page', () => {
  it('has a row with a meaning for every key', () => {
    for (const key of Object.keys(configFileSchema.shape)) {
      const cells = rowOf(key)?.split(/(?<!\\)\|/) ?? [];
      expect(cells).toHaveLength(7);
      expect(cells[5]?.trim().length).toBeGreaterThan(10);
      expect(cells[2]?.trim()).not.toBe('');
    }
  });

  it('says type, default and bounds as the code has them', () => {
    expect(rowOf('limits.duration')).toContain('| whole number | `300000` | 1000–1800000 |');
    expect(rowOf('limits.maxConcurrentReqs')).toContain(
      `| \`10\` | 1–${BOUNDS.maxConcurrentReqs.max} |`,
    );
    expect(rowOf('slot')).toContain('`"c.125-m512"`');
    expect(rowOf('idle')).toContain('`freeze`, `stop`, `run`');
    expect(rowOf('files')).toContain('array of strings');
    expect(rowOf('build.dockerfile')).toContain('`"Dockerfile"`');
  });
});

describe('the JSON Schema', () => {
  it('is strict, titled, has no address of its own, and describes every key', () => {
    const schema = configJsonSchema();
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      title: expect.any(String),
    });
    expect(schema).not.toHaveProperty('$id');
    const properties = schema.properties as Record<string, { description?: string }>;
    expect(Object.keys(properties)).toEqual(Object.keys(configFileSchema.shape));
    for (const { description } of Object.values(properties)) {
      expect(description).toBeTruthy();
    }
  });
});

it('both are given with their paths, the same each time', () => {
  expect(documents().map(({ path }) => path)).toEqual([
    'docs/reference/berth.schema.json',
    'docs/reference/configuration.md',
    'docs/reference/berth.stack.schema.json',
    'docs/reference/stack.md',
  ]);
  expect(documents()).toEqual(documents());
  for (const { text } of documents()) expect(text).toMatch(/[^\n]\n$/);
});

it('keys that somebody may count on in vain are named', () => {
  expect(
    keysWithoutEffect({ version: 1, features: {}, engines: { node: '6' }, github: {} }),
  ).toEqual(['engines', 'github']);
});

describe('the reference of stacks', () => {
  it('has a row with a meaning for every key, those of named things among them', () => {
    const rows = stackReference()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const environment = 'projects.<name>.environments.<name>';
    for (const key of [
      'teams.<name>.plan',
      'aliases',
      `${environment}.runs.from`,
      `${environment}.variables`,
      `${environment}.limits.duration`,
      `${environment}.scale.max`,
      'projects.<name>.triggers',
    ]) {
      expect(rows.find((row) => row.startsWith(`| \`${key}\` |`))).toBeDefined();
    }
    for (const row of rows) expect(row.split(/(?<!\\)\|/)[5]?.trim().length).toBeGreaterThan(10);
    expect(rows.find((row) => row.includes('limits.duration'))).toContain('1000–1800000');
  });

  it('is a strict JSON Schema', () => {
    expect(stackJsonSchema()).toMatchObject({ type: 'object', additionalProperties: false });
  });
});
