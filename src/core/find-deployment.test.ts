/** Proves what each kind of name means. */
import { expect, test } from 'vitest';
import { findDeployment } from './find-deployment.ts';
import type { FindMode } from './find-deployment.ts';
import { DEFAULT_LIMITS, DEFAULT_SCALE, DEFAULT_SLOT } from './limits.ts';
import type { Deployment, DeploymentState } from './model.ts';

const make = (id: string, state: DeploymentState): Deployment => ({
  id,
  project: id.slice(0, id.lastIndexOf('-')),
  source: { kind: 'image', reference: 'x' },
  configuration: {
    slot: DEFAULT_SLOT,
    limits: DEFAULT_LIMITS,
    scale: DEFAULT_SCALE,
    idle: 'freeze',
    env: {},
    buildEnv: {},
  },
  state,
  createdAt: 0,
  createdBy: 'me',
});

/** Newest first. */
const all = [
  make('shop-11111111', 'failed'),
  make('shop-22222222', 'ready'),
  make('shop-22233333', 'ready'),
  make('shop-api-44444444', 'ready'),
  make('blog-55555555', 'building'),
];

const find = (name: string, mode: FindMode): string => {
  const found = findDeployment(name, all, mode);
  if (found.kind === 'found') return found.deployment.id;
  return found.kind === 'none' ? 'none' : found.candidates.map(({ id }) => id).join(' ');
};

test('an id, its hostname and its URL mean that deployment, whatever its state', () => {
  for (const name of [
    'shop-11111111',
    'SHOP-11111111',
    'shop-11111111.localhost',
    'http://shop-11111111.localhost:8080/path?x=1#y',
    ' https://shop-11111111.example.com ',
  ]) {
    expect([find(name, 'one'), find(name, 'newest')]).toEqual(['shop-11111111', 'shop-11111111']);
  }
});

test('a project means its newest good deployment to look at, and must have only one to be removed', () => {
  expect(find('shop', 'newest')).toBe('shop-22222222');
  expect(find('shop', 'one')).toBe('shop-11111111 shop-22222222 shop-22233333');
  expect(find('blog', 'newest')).toBe('blog-55555555');
  expect(find('blog', 'one')).toBe('blog-55555555');
});

test('the beginning of an id has to fit one only', () => {
  for (const mode of ['one', 'newest'] as const) {
    expect(find('shop-22', mode)).toBe('shop-22222222 shop-22233333');
    expect(find('shop-2222', mode)).toBe('shop-22222222');
    expect(find('shop-api', mode)).toBe('shop-api-44444444');
  }
});

test('nothing is found by nothing', () => {
  for (const name of ['', ' ', '://', 'http://', 'nobody', '.localhost', '?']) {
    expect(find(name, 'newest')).toBe('none');
  }
});
