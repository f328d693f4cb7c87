/** Who uses a secret: deployments that can start, environments with what they run. */
import { describe, expect, it } from 'vitest';
import { behind, usesOf, type Users } from './secret-uses.ts';

const settings = (variables: Record<string, string>) => ({ variables, limits: {} });

const users: Users = {
  deployments: [
    { id: 'shop-2', project: 'shop', state: 'ready', secrets: { db: 2 } },
    { id: 'shop-1', project: 'shop', state: 'building', secrets: { db: 1, key: 1 } },
    { id: 'shop-0', project: 'shop', state: 'failed', secrets: { db: 1 } },
    { id: 'other-1', project: 'other', state: 'ready' },
  ],
  environments: [
    { project: 'shop', name: 'production', settings: settings({}) },
    { project: 'shop', name: 'staging', settings: settings({ URL: '@db' }) },
    { project: 'shop', name: 'test', settings: settings({ URL: '@db', AT: '@@key' }) },
    { project: 'other', name: 'production', settings: settings({}) },
  ],
  releases: [
    { project: 'shop', environment: 'production', number: 7, secrets: { db: 1 } },
    { project: 'shop', environment: 'staging', number: 3, secrets: { db: 2 } },
    { project: 'other', environment: 'production', number: 1, secrets: {} },
  ],
};

describe('a secret is used by', () => {
  it('deployments that can start, and environments that run or name it', () => {
    expect(usesOf('db', users)).toEqual({
      deployments: [
        { id: 'shop-1', version: 1 },
        { id: 'shop-2', version: 2 },
      ],
      environments: [
        { project: 'shop', environment: 'production', release: 7, version: 1 },
        { project: 'shop', environment: 'staging', release: 3, version: 2 },
        { project: 'shop', environment: 'test' },
      ],
    });
    expect(usesOf('key', users).environments).toEqual([]);
    expect(usesOf('nothing', users)).toEqual({ deployments: [], environments: [] });
  });

  it('environments that are behind a new version', () => {
    const uses = usesOf('db', users);
    expect(behind(uses, 2).map(({ environment }) => environment)).toEqual(['production']);
    expect(behind(uses, 3)).toHaveLength(2);
    expect(behind(uses, 1)).toEqual([]);
  });
});
