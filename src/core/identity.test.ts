/** Proves that identity depends on content alone. */
import { expect, test } from 'vitest';
import { deploymentIdFrom, identityText } from './identity.ts';
import { DEFAULT_LIMITS, DEFAULT_SCALE, DEFAULT_SLOT } from './limits.ts';
import type { Configuration } from './model.ts';

const configuration: Configuration = {
  slot: DEFAULT_SLOT,
  limits: DEFAULT_LIMITS,
  scale: DEFAULT_SCALE,
  idle: 'freeze',
  env: { B: '2', A: '1' },
  buildEnv: {},
};
const source = { kind: 'folder', manifest: 'ab'.repeat(32) } as const;

test('the order in which keys were written changes nothing', () => {
  const reordered: Configuration = { ...configuration, env: { A: '1', B: '2' } };
  expect(identityText('hello', source, reordered)).toBe(
    identityText('hello', source, configuration),
  );
});

test('a variable, a build argument, the project and the source each change the identity', () => {
  const texts = [
    identityText('hello', source, configuration),
    identityText('other', source, configuration),
    identityText('hello', { kind: 'image', imageId: source.manifest }, configuration),
    identityText('hello', source, { ...configuration, env: { A: '1' } }),
    identityText('hello', source, { ...configuration, buildEnv: { A: '1' } }),
    identityText('hello', source, { ...configuration, port: 3000 }),
    identityText('hello', source, { ...configuration, env: { A: '1","B":"2' } }),
  ];
  expect(new Set(texts).size).toBe(texts.length);
});

test('versions of secrets are part of it, and none leaves it what it was', () => {
  const plain = identityText('hello', source, configuration);
  expect(identityText('hello', source, configuration, {})).toBe(plain);
  const first = identityText('hello', source, configuration, { db: 1 });
  expect(first).not.toBe(plain);
  expect(identityText('hello', source, configuration, { db: 2 })).not.toBe(first);
});

test('the id takes 40 bits of the hash and is a valid first label of a hostname', () => {
  expect(deploymentIdFrom('hello', 'f'.repeat(64))).toBe('hello-zzzzzzzz');
  expect(deploymentIdFrom('hello', `00001${'0'.repeat(59)}`)).toBe('hello-00010000');
  expect(deploymentIdFrom('hello', `00000ffffe${'0'.repeat(54)}`)).toBe('hello-0000zzzy');
});
