/** Proves that names of environments are safe in hostnames, and that no two environments share one. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { environmentLabel, isEnvironmentName, isPreview, previewOf } from './environment.ts';
import { deploymentIdFrom } from './identity.ts';

test('names are those of environments or of branches', () => {
  for (const name of [
    'production',
    'staging',
    'qa-2',
    'preview/cart',
    'preview/Fix/Cart_1.2',
    'preview/größe',
  ])
    expect([name, isEnvironmentName(name)]).toStrictEqual([name, true]);
  for (const name of [
    '',
    'Production',
    '-a',
    'a-',
    'a b',
    'a/b',
    'preview',
    'preview-cart',
    'preview/',
    'preview//a',
    'preview/a..b',
    'preview/-a',
    'preview/a b',
    'preview/a\nb',
    'a'.repeat(41),
  ])
    expect([name, isEnvironmentName(name)]).toStrictEqual([name, false]);
});

test('hostnames are as people expect them', () => {
  expect(environmentLabel('shop', 'production')).toBe('shop');
  expect(environmentLabel('shop', 'staging')).toBe('shop-staging');
  expect(environmentLabel('shop', 'preview/cart')).toBe('shop-preview-cart');
  expect(environmentLabel('shop', 'preview/Fix/Cart')).toMatch(
    /^shop-preview-fix-cart-[0-9a-z]{6}$/,
  );
});

const project = fc
  .stringMatching(/^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$/)
  .filter((name) => name.length <= 50);
const branch = fc.oneof(
  fc.string({ minLength: 1, maxLength: 80 }),
  fc.string({ minLength: 1, unit: 'binary', maxLength: 20 }),
  fc.stringMatching(/^[a-zA-Z0-9/_-]{1,80}$/),
  fc.stringMatching(/^[0-9a-hjkmnp-tv-z]{8}$/),
);
const environment = fc.oneof(
  branch.map(previewOf),
  fc.constantFrom('production', 'staging'),
  fc.stringMatching(/^[a-z0-9]{1,12}(-[0-9a-z]{8})?$/).filter(isEnvironmentName),
);

test('every branch has an environment, and every environment a label of DNS', () => {
  fc.assert(
    fc.property(project, branch, environment, (name, of, other) => {
      expect(isEnvironmentName(previewOf(of))).toBe(true);
      expect(isPreview(previewOf(of))).toBe(true);
      for (const one of [previewOf(of), other]) {
        const label = environmentLabel(name, one);
        expect(label).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
        expect(label.length).toBeLessThanOrEqual(63);
      }
    }),
  );
});

test('two environments of a project never share a hostname', () => {
  fc.assert(
    fc.property(project, environment, environment, (name, one, other) => {
      fc.pre(one !== other);
      expect(environmentLabel(name, one)).not.toBe(environmentLabel(name, other));
    }),
    { numRuns: 500 },
  );
});

test('no environment but production has a label that the id of a deployment could have', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
  const isIdOf = (label: string) => /-[0-9a-hjkmnp-tv-z]{8}$/.test(label);
  fc.assert(
    fc.property(project, hex, environment, (name, sha256, one) => {
      expect(isIdOf(deploymentIdFrom(name, sha256))).toBe(true);
      fc.pre(one !== 'production');
      expect(isIdOf(environmentLabel(name, one))).toBe(false);
    }),
    { numRuns: 500 },
  );
});
