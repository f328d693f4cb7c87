/** Proves what clean-up keeps and removes, first case by case, then for whatever there may be. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aDeployment } from './fixtures/deployment.ts';
import {
  type CleanupRules,
  type Decision,
  decide,
  DEFAULT_RULES,
  pressing,
  type Seen,
} from './gc.ts';
import type { Deployment, LedgerEntry, Release } from './model.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = 1_000 * DAY_MS;

const NOTHING: Seen = {
  now: NOW,
  deployments: [],
  environments: [],
  releases: [],
  aliases: [],
  awake: new Set(),
  underWay: new Set(),
  isBuilding: false,
  lastRequestAt: new Map(),
  ledger: [],
  images: [],
  logs: [],
  builds: [],
};

/** Ready, made 100 days ago, and never asked for. */
function deployment(id: string, change: Partial<Deployment> = {}): Deployment {
  return aDeployment({
    id,
    project: 'shop',
    source: { kind: 'folder', manifest: 'aa', files: 1, bytes: 1 },
    state: 'ready',
    image: { id: `sha256:${id}`, bytes: 1, layers: [], exposedPorts: [] },
    createdAt: NOW - 100 * DAY_MS,
    ...change,
  });
}

function release(number: number, deploymentId: string, change: Partial<Release> = {}): Release {
  return {
    project: 'shop',
    environment: 'production',
    number,
    kind: 'deploy',
    state: 'superseded',
    baseId: deploymentId,
    deploymentId,
    settings: { variables: {}, limits: {} },
    secrets: {},
    because: '',
    createdAt: NOW - 90 * DAY_MS + number * DAY_MS,
    createdBy: 'local',
    ...change,
  };
}

const of = (decisions: readonly Decision[], id: string) => {
  const found = decisions.find((one) => one.id === id);
  return found && `${found.verdict}: ${found.because}`;
};

describe('deployments', () => {
  const judge = (seen: Partial<Seen>, rules: Partial<CleanupRules> = {}) =>
    decide({ ...NOTHING, ...seen }, { ...DEFAULT_RULES, ...rules });

  test('a preview lives from its last request, or from when it was made', () => {
    const deployments = [
      deployment('a'),
      deployment('b'),
      deployment('c', { createdAt: NOW - 2 * DAY_MS }),
    ];
    const lastRequestAt = new Map([
      ['a', NOW - 9 * DAY_MS],
      ['b', NOW - 3 * 60 * 60 * 1000],
    ]);
    const found = judge({ deployments, lastRequestAt });
    expect(of(found, 'a')).toBe('remove: preview, last request 9 days ago, lives 7 days');
    expect(of(found, 'b')).toBe('keep: preview, last request 3 hours ago, lives 7 days');
    expect(of(found, 'c')).toBe('keep: preview, no request since it was made 2 days, lives 7 days');
    const never = judge({ deployments, lastRequestAt }, { previewTtlMs: Number.POSITIVE_INFINITY });
    expect(of(never, 'a')).toBe('keep: preview, last request 9 days ago, lives for ever');
  });

  test('what takes the traffic, what is on its way and what is within the last releases stays', () => {
    const ids = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6'];
    const found = judge(
      {
        deployments: ids.map((id) => deployment(id)),
        environments: [
          {
            project: 'shop',
            name: 'production',
            current: 5,
            createdAt: 0,
          },
        ],
        releases: [
          release(1, 'v1'),
          release(2, 'v2'),
          release(3, 'v3', { state: 'failed' }),
          release(4, 'v4'),
          release(5, 'v5', { state: 'current' }),
          release(6, 'v6', { state: 'preparing' }),
        ],
      },
      { keepReleases: 3, keepProductionMs: 0 },
    );
    expect(of(found, 'v6')).toBe('keep: production v6, which is on its way');
    expect(of(found, 'v5')).toBe('keep: production v5, which takes the traffic');
    expect(of(found, 'v4')).toBe('keep: production v4, within the last 3 releases');
    // The failed one never took traffic: it neither stays nor counts.
    expect(of(found, 'v3')).toMatch(/^remove: preview/);
    expect(of(found, 'v2')).toBe('keep: production v2, within the last 3 releases');
    expect(of(found, 'v1')).toMatch(/^remove: preview/);
  });

  test('whatever took traffic in production lately stays, however many releases came after it', () => {
    const releases = [
      release(1, 'old', { createdAt: NOW - 80 * DAY_MS }),
      // Took traffic until the next came, 12 days ago.
      release(2, 'long', { createdAt: NOW - 70 * DAY_MS }),
      release(3, 'short', { createdAt: NOW - 12 * DAY_MS }),
      release(4, 'now', { createdAt: NOW - 1 * DAY_MS, state: 'current' }),
    ];
    const deployments = ['old', 'long', 'short', 'now'].map((id) => deployment(id));
    const found = judge({ deployments, releases }, { keepReleases: 2 });
    expect(of(found, 'long')).toBe('keep: production v2, took traffic 12 days ago, kept 30 days');
    expect(of(found, 'old')).toMatch(/^remove/);
    const staging = releases.map((one) => ({ ...one, environment: 'staging' }));
    const inStaging = judge({ deployments, releases: staging }, { keepReleases: 2 });
    expect(of(inStaging, 'long')).toMatch(/^remove/);
  });

  test('a preview of a branch goes with what it runs, and what it runs lives by its requests', () => {
    const environment = (name: string, createdAt = 0) => ({
      project: 'shop',
      name,
      latest: 1,
      settings: { variables: {}, limits: {} },
      createdAt,
    });
    const current = (deploymentId: string, name: string) =>
      release(1, deploymentId, { environment: name, state: 'current' });
    const seen = {
      deployments: ['old', 'used', 'named', 'next'].map((id) => deployment(id)),
      environments: [
        environment('preview/old'),
        environment('preview/used'),
        environment('preview/named'),
        environment('preview/next'),
        environment('preview/empty', NOW - 8 * DAY_MS),
        environment('preview/new', NOW),
        environment('qa'),
      ],
      releases: [
        current('old', 'preview/old'),
        current('used', 'preview/used'),
        current('named', 'preview/named'),
        release(1, 'next', { environment: 'preview/next', state: 'preparing' }),
      ],
      aliases: [
        {
          hostname: 'demo.example.com',
          path: '/',
          target: { kind: 'environment', project: 'shop', environment: 'preview/named' },
          team: 't',
          createdAt: 0,
          createdBy: '',
        } as const,
      ],
      lastRequestAt: new Map([['used', NOW - DAY_MS]]),
    };
    const found = judge(seen);
    expect(of(found, 'old')).toBe(
      'remove: preview/old, no request since it was made 100 days, lives 7 days',
    );
    expect(of(found, 'shop/preview/old')).toBe('remove: what it runs goes: old');
    expect(of(found, 'used')).toBe('keep: preview/used, last request 1 day ago, lives 7 days');
    expect(of(found, 'shop/preview/used')).toBe('keep: it runs used');
    expect(of(found, 'named')).toBe('keep: aliased by demo.example.com');
    expect(of(found, 'shop/preview/named')).toMatch(/^keep/);
    expect(of(found, 'next')).toBe('keep: preview/next v1, which is on its way');
    expect(of(found, 'shop/preview/next')).toMatch(/^keep/);
    expect(of(found, 'shop/preview/empty')).toMatch(/^remove: nothing was released to it, made 8/);
    expect(of(found, 'shop/preview/new')).toMatch(/^keep/);
    expect(of(found, 'shop/qa')).toBeUndefined();
  });

  test('what an alias names, what is awake, what is worked on, and the base of what is kept stay', () => {
    const target = { kind: 'deployment', deploymentId: 'a' } as const;
    const found = judge({
      deployments: [
        deployment('a'),
        deployment('b'),
        deployment('c'),
        deployment('d', { state: 'building' }),
        deployment('top', { derivedFrom: 'middle' }),
        deployment('middle', { derivedFrom: 'base' }),
        deployment('base'),
        deployment('gone', { derivedFrom: 'also-gone' }),
        deployment('also-gone'),
      ],
      aliases: [
        {
          hostname: 'api.example.com',
          path: '/v1',
          target,
          team: 't',
          createdAt: 0,
          createdBy: '',
        },
      ],
      awake: new Set(['b', 'top']),
      underWay: new Set(['c']),
    });
    expect(of(found, 'a')).toBe('keep: aliased by api.example.com/v1');
    expect(of(found, 'b')).toBe('keep: it is awake');
    expect(of(found, 'c')).toBe('keep: it is worked on');
    expect(of(found, 'd')).toBe('keep: it is building');
    expect(of(found, 'middle')).toBe('keep: top runs its image with other settings');
    expect(of(found, 'base')).toBe('keep: middle runs its image with other settings');
    expect(of(found, 'gone')).toMatch(/^remove/);
    expect(of(found, 'also-gone')).toMatch(/^remove/);
  });
});

describe('what deployments used', () => {
  const entry = (kind: LedgerEntry['kind'], id: string, change: Partial<LedgerEntry> = {}) => ({
    kind,
    id,
    createdAt: NOW - 50 * DAY_MS,
    ...change,
  });

  test('an image goes with the last that runs it, never while something is built', () => {
    const seen: Seen = {
      ...NOTHING,
      deployments: [
        deployment('a', { createdAt: NOW }),
        deployment('busy', { state: 'building', createdAt: NOW }),
        deployment('bad', { state: 'failed', createdAt: NOW }),
      ],
      ledger: [
        entry('image', 'sha256:a', { deploymentId: 'somebody' }),
        entry('image', 'sha256:ahead', { deploymentId: 'busy' }),
        entry('image', 'sha256:bad', { deploymentId: 'bad' }),
        entry('image', 'sha256:orphan'),
        entry('image', 'sha256:below'),
      ],
      images: [{ id: 'sha256:a', parentId: 'sha256:below' }, { id: 'sha256:below' }],
    };
    const found = decide(seen, DEFAULT_RULES);
    expect(of(found, 'sha256:a')).toBe('keep: the image of a');
    expect(of(found, 'sha256:below')).toBe('keep: part of the image of a');
    expect(of(found, 'sha256:ahead')).toBe('keep: built for busy, which is worked on');
    expect(of(found, 'sha256:bad')).toBe('remove: the image of a failed deploy');
    expect(of(found, 'sha256:orphan')).toBe('remove: no deployment runs it');
    const building = decide({ ...seen, isBuilding: true }, DEFAULT_RULES);
    expect(of(building, 'sha256:orphan')).toBe('keep: a build is under way');
  });

  test('layers stay with an image that stands on them, and otherwise for a while after their last build', () => {
    const layer = (id: string, deploymentId: string, days: number) =>
      entry('layer', id, { deploymentId, usedAt: NOW - days * DAY_MS });
    const seen: Seen = {
      ...NOTHING,
      deployments: [
        deployment('a', { createdAt: NOW }),
        deployment('bad', { state: 'failed', createdAt: NOW }),
      ],
      ledger: [
        layer('part', 'gone', 90),
        layer('warm', 'a', 2),
        layer('cold', 'a', 8),
        layer('tried', 'bad', 2),
        layer('failed', 'bad', 4),
        layer('left', 'gone', 0),
      ],
      images: [{ id: 'sha256:a', parentId: 'part' }, { id: 'part' }],
    };
    const found = decide(seen, DEFAULT_RULES);
    expect(of(found, 'part')).toBe('keep: part of the image of a');
    expect(of(found, 'warm')).toBe('keep: build cache, used 2 days ago, lives 7 days');
    expect(of(found, 'cold')).toBe('remove: build cache, used 8 days ago, lives 7 days');
    expect(of(found, 'tried')).toMatch(/^keep: image layers of a failed build, used 2 days ago/);
    expect(of(found, 'failed')).toMatch(/^remove: image layers of a failed build, used 4 days ago/);
    expect(of(found, 'left')).toBe('remove: build cache of a removed deployment');
    const pressed = decide(seen, pressing(DEFAULT_RULES));
    expect(of(pressed, 'warm')).toMatch(/^remove/);
    expect(of(pressed, 'part')).toMatch(/^keep/);
  });

  test('a network goes with the last deployment that can run in it; one of an unknown project stays', () => {
    const found = decide(
      {
        ...NOTHING,
        deployments: [
          deployment('a', { project: 'shop', createdAt: NOW }),
          deployment('b', { project: 'broken', state: 'failed', createdAt: NOW }),
          deployment('c', { project: 'again', state: 'failed', createdAt: NOW }),
        ],
        underWay: new Set(['c']),
        ledger: [
          entry('network', 'n-shop', { project: 'shop' }),
          entry('network', 'n-broken', { project: 'broken' }),
          entry('network', 'n-again', { project: 'again' }),
          entry('network', 'n-gone', { project: 'gone' }),
          entry('network', 'n-odd'),
        ],
      },
      DEFAULT_RULES,
    );
    expect(of(found, 'n-shop')).toMatch(/^keep/);
    expect(of(found, 'n-again')).toMatch(/^keep/);
    expect(of(found, 'n-odd')).toMatch(/^keep/);
    expect(of(found, 'n-broken')).toBe('remove: no deployment of broken can run');
    expect(of(found, 'n-gone')).toBe('remove: gone has no deployments');
  });

  test('where only leftovers are asked for, a deployment whose time is over keeps what is its own', () => {
    const seen: Seen = {
      ...NOTHING,
      deployments: [deployment('a')],
      ledger: [entry('image', 'sha256:a')],
      logs: ['a', 'gone'],
      builds: ['a', 'gone'],
    };
    const all = decide(seen, DEFAULT_RULES);
    expect(all.filter(({ verdict }) => verdict === 'keep')).toEqual([]);
    const leftovers = decide(seen, DEFAULT_RULES, 'deployments stay');
    expect(leftovers.filter(({ verdict }) => verdict === 'remove').map(({ id }) => id)).toEqual([
      'gone',
      'gone',
    ]);
  });
});

describe('whatever there is', () => {
  const id = fc.constantFrom('d1', 'd2', 'd3', 'd4', 'd5');
  const age = fc.integer({ min: 0, max: 40 }).map((days) => NOW - days * DAY_MS);
  const rules: fc.Arbitrary<CleanupRules> = fc.record({
    keepReleases: fc.integer({ min: 1, max: 3 }),
    keepProductionMs: fc.constantFrom(0, 10 * DAY_MS),
    previewTtlMs: fc.constantFrom(0, 7 * DAY_MS),
    failedTtlMs: fc.constantFrom(0, 3 * DAY_MS),
    cacheTtlMs: fc.constantFrom(0, 7 * DAY_MS),
  });
  const world: fc.Arbitrary<Seen> = fc
    .record({
      rows: fc.uniqueArray(
        fc.record({
          id,
          state: fc.constantFrom('building', 'verifying', 'ready', 'failed'),
          image: id,
          derivedFrom: fc.option(id, { nil: undefined }),
          createdAt: age,
        }),
        { selector: (row) => row.id },
      ),
      releases: fc.uniqueArray(
        fc.record({
          number: fc.integer({ min: 1, max: 8 }),
          environment: fc.constantFrom('production', 'staging', 'preview/a'),
          deploymentId: id,
          baseId: id,
          state: fc.constantFrom('preparing', 'trial', 'current', 'superseded', 'failed'),
          createdAt: age,
        }),
        { selector: (one) => `${one.environment} ${one.number}` },
      ),
      aliased: fc.array(id, { maxLength: 1 }),
      awake: fc.array(id, { maxLength: 2 }),
      underWay: fc.array(id, { maxLength: 2 }),
      isBuilding: fc.boolean(),
      requests: fc.array(fc.tuple(id, age)),
      parents: fc.uniqueArray(fc.tuple(id, id), { selector: ([child]) => child }),
      ledger: fc.uniqueArray(
        fc.record({
          kind: fc.constantFrom('container', 'image', 'layer', 'network'),
          id,
          owner: fc.option(id, { nil: undefined }),
          usedAt: age,
        }),
        { selector: (one) => `${one.kind} ${one.id}` },
      ),
      folders: fc.uniqueArray(id),
    })
    .map(
      (drawn): Seen => ({
        ...NOTHING,
        deployments: drawn.rows.map(({ derivedFrom, image, ...row }) =>
          deployment(row.id, {
            ...row,
            image: { id: image, bytes: 1, layers: [], exposedPorts: [] },
            ...(derivedFrom !== undefined && { derivedFrom }),
          }),
        ),
        releases: drawn.releases.map(({ number, deploymentId, ...more }) =>
          release(number, deploymentId, more),
        ),
        environments: ['production', 'staging', 'preview/a'].map((name) => ({
          project: 'shop',
          name,
          latest: 8,
          settings: { variables: {}, limits: {} },
          createdAt: NOW - 20 * DAY_MS,
        })),
        aliases: drawn.aliased.map((deploymentId) => ({
          hostname: 'a.example.com',
          path: '/',
          target: { kind: 'deployment', deploymentId },
          team: 't',
          createdAt: 0,
          createdBy: '',
        })),
        awake: new Set(drawn.awake),
        underWay: new Set(drawn.underWay),
        isBuilding: drawn.isBuilding,
        lastRequestAt: new Map(drawn.requests),
        // Never in a circle: a parent has the lower number.
        images: ['d1', 'd2', 'd3', 'd4', 'd5'].map((one) => {
          const parentId = drawn.parents.find(([child]) => child === one)?.[1];
          return { id: one, ...(parentId !== undefined && parentId < one && { parentId }) };
        }),
        ledger: drawn.ledger.map(({ kind, id: one, owner, usedAt }) => ({
          kind,
          id: one,
          createdAt: usedAt,
          usedAt,
          ...(owner !== undefined && { deploymentId: owner }),
          ...(kind === 'network' && { project: 'shop' }),
        })),
        logs: drawn.folders,
        builds: drawn.folders,
      }),
    );

  const going = (decisions: readonly Decision[], kind: Decision['kind']) =>
    new Set(
      decisions.filter((one) => one.kind === kind && one.verdict === 'remove').map((one) => one.id),
    );

  test('only what a row, the ledger or a folder of ours names is in it, each once', () => {
    fc.assert(
      fc.property(world, rules, (seen, by) => {
        const named = [
          'environment shop/preview/a',
          ...seen.deployments.map((one) => `deployment ${one.id}`),
          ...seen.ledger.map((one) => `${one.kind} ${one.id}`),
          ...seen.logs.map((one) => `logs ${one}`),
          ...seen.builds.map((one) => `build ${one}`),
        ];
        const decided = decide(seen, by).map((one) => `${one.kind} ${one.id}`);
        expect(decided.toSorted()).toEqual(named.toSorted());
      }),
    );
  });

  test('nothing goes that a rule keeps: under way, awake, aliased, current, in reach, or asked for lately', () => {
    fc.assert(
      fc.property(world, rules, (seen, by) => {
        const gone = going(decide(seen, by), 'deployment');
        for (const one of seen.deployments) {
          if (!gone.has(one.id)) continue;
          expect(seen.underWay.has(one.id) || seen.awake.has(one.id)).toBe(false);
          expect(['ready', 'failed']).toContain(one.state);
          expect(
            seen.aliases.some(
              ({ target }) => 'deploymentId' in target && target.deploymentId === one.id,
            ),
          ).toBe(false);
          const asked = seen.lastRequestAt.get(one.id) ?? one.createdAt;
          if (one.state === 'ready') expect(seen.now - asked).toBeGreaterThan(by.previewTtlMs);
        }
      }),
    );
  });

  test('no rollback in reach breaks: its deployment, its base, and their images stay', () => {
    fc.assert(
      fc.property(world, rules, (seen, by) => {
        const decisions = decide(seen, by);
        const gone = going(decisions, 'deployment');
        const images = new Set([...going(decisions, 'image'), ...going(decisions, 'layer')]);
        for (const environment of ['production', 'staging']) {
          const reachable = seen.releases
            .filter((one) => one.environment === environment && one.state !== 'failed')
            .toSorted((one, other) => other.number - one.number);
          const settled = reachable.filter(
            ({ state }) => state === 'current' || state === 'superseded',
          );
          const inReach = [
            ...reachable.filter((one) => !settled.includes(one)),
            ...reachable.filter(({ state }) => state === 'current'),
            ...settled.slice(0, by.keepReleases),
          ];
          for (const { deploymentId, baseId } of inReach) {
            for (const kept of seen.deployments.filter((one) =>
              [deploymentId, baseId].includes(one.id),
            )) {
              expect(gone.has(kept.id)).toBe(false);
              if (kept.state === 'ready') expect(images.has(kept.image?.id ?? '')).toBe(false);
            }
          }
        }
      }),
    );
  });

  test('what is kept keeps its base, its image, and what that stands on', () => {
    fc.assert(
      fc.property(world, rules, (seen, by) => {
        const decisions = decide(seen, by);
        const gone = going(decisions, 'deployment');
        const images = new Set([...going(decisions, 'image'), ...going(decisions, 'layer')]);
        const parents = new Map(seen.images.map((one) => [one.id, one.parentId]));
        for (const one of seen.deployments) {
          if (gone.has(one.id)) continue;
          if (seen.deployments.some(({ id: other }) => other === one.derivedFrom)) {
            expect(gone.has(one.derivedFrom ?? '')).toBe(false);
          }
          if (one.state === 'failed') continue;
          for (let at = one.image?.id; at !== undefined; at = parents.get(at)) {
            expect(images.has(at)).toBe(false);
          }
        }
      }),
    );
  });

  test('while something is built no image and no layer goes', () => {
    fc.assert(
      fc.property(world, rules, (seen, by) => {
        const decisions = decide({ ...seen, isBuilding: true }, by);
        expect(going(decisions, 'image').size + going(decisions, 'layer').size).toBe(0);
      }),
    );
  });

  test('running again removes nothing more', () => {
    fc.assert(
      fc.property(world, rules, (seen, by) => {
        const decisions = decide(seen, by);
        const stays = (kind: Decision['kind'], one: string) => !going(decisions, kind).has(one);
        const gone = new Set([...going(decisions, 'image'), ...going(decisions, 'layer')]);
        const after: Seen = {
          ...seen,
          deployments: seen.deployments.filter((one) => stays('deployment', one.id)),
          environments: seen.environments.filter((one) =>
            stays('environment', `${one.project}/${one.name}`),
          ),
          releases: seen.releases.filter((one) =>
            stays('environment', `${one.project}/${one.environment}`),
          ),
          ledger: seen.ledger.filter((one) => stays(one.kind, one.id)),
          images: seen.images.filter((one) => !gone.has(one.id)),
          logs: seen.logs.filter((one) => stays('logs', one)),
          builds: seen.builds.filter((one) => stays('build', one)),
        };
        expect(decide(after, by).filter(({ verdict }) => verdict === 'remove')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
