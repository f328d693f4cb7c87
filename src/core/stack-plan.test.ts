/** Proves that a plan reaches what it wants, that nothing is left to do then, and that only listed things are touched. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limits } from './model.ts';
import {
  type Platform,
  runsKey,
  type SeenEnvironment,
  type Stack,
  type Step,
  stepSubject,
  type WantedRuns,
} from './stack.ts';
import { planStack } from './stack-plan.ts';

const PROJECTS = ['shop', 'blog', 'constructor'];
const ENVIRONMENTS = ['production', 'staging', 'qa', 'preview/cart'];
const TEAMS = ['default', 'blue'];
const SECRETS = ['db'];
const HOSTS = ['www.example.com', 'api.example.com/v1', '*.example.com'];

const mapOf = <Value>(keys: readonly string[], value: fc.Arbitrary<Value>) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...keys), value), { selector: ([key]) => key })
    .map((entries) => new Map(entries));
const recordOf = <Value>(keys: readonly string[], value: fc.Arbitrary<Value>) =>
  mapOf(keys, value).map((map) => Object.fromEntries(map));
const variables = recordOf(
  ['COLOUR', 'SIZE', 'toString'],
  fc.constantFrom('red', 'blue', '', '@db', '@@home'),
);
const limits: fc.Arbitrary<Partial<Limits>> = recordOf(
  ['maxConcurrentReqs', 'durationMs', 'timeoutMs'],
  fc.constantFrom(1_000, 2_000),
);
const scale = fc
  .tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 2, max: 3 }))
  .map(([min, max]) => ({ min, max }));

const runs: fc.Arbitrary<WantedRuns> = fc.oneof(
  fc.constantFrom('./a', './b').map((folder) => ({ kind: 'folder' as const, folder })),
  fc.constant({ kind: 'image' as const, reference: 'nginx' }),
  fc.constantFrom('one', 'two').map((name) => ({ kind: 'deployment' as const, name })),
  fc
    .constantFrom(...ENVIRONMENTS)
    .map((environment) => ({ kind: 'environment' as const, environment })),
);
const optional: { requiredKeys: [] } = { requiredKeys: [] };
// Keys of fast-check records may be absent, which exact optional types tell from undefined.
const stackOf = fc.record(
  {
    teams: mapOf(TEAMS, fc.record({ plan: fc.constantFrom('oss', 'pro') }, optional)),
    projects: mapOf(
      PROJECTS,
      fc.record(
        {
          team: fc.constantFrom('default', 'blue'),
          environments: mapOf(
            ENVIRONMENTS,
            fc.record({ runs, variables, limits, scale }, optional),
          ),
        },
        optional,
      ),
    ),
    aliases: mapOf(HOSTS, fc.constantFrom('shop', 'shop/staging', 'blog/qa', 'shop-11111111')),
  },
  { requiredKeys: ['teams', 'projects'] },
) as fc.Arbitrary<Stack>;

const seenEnvironment = fc.record(
  {
    current: fc.record({
      number: fc.integer({ min: 1, max: 9 }),
      baseId: fc.constantFrom('shop-11111111', 'shop-./a', 'blog-./b'),
    }),
    settings: fc.record({ variables, limits }),
    paused: fc.constant('v4 was rolled back to v1 by me.'),
  },
  { requiredKeys: ['settings'] },
) as fc.Arbitrary<SeenEnvironment>;
const platformOf: fc.Arbitrary<Platform> = fc
  .record({
    teams: mapOf(TEAMS, fc.record({ plan: fc.constantFrom('oss', 'pro', 'unlimited') })),
    projects: mapOf(
      PROJECTS,
      fc.record({
        team: fc.constantFrom('default', 'blue'),
        environments: mapOf(ENVIRONMENTS, seenEnvironment),
      }),
    ),
    aliases: mapOf(
      HOSTS,
      fc.constantFrom(...PROJECTS).map((project) => ({ project, target: `${project}/production` })),
    ),
    isReady: fc.boolean(),
  })
  .map(({ isReady, ...seen }) => ({
    ...seen,
    secrets: new Map(TEAMS.map((team) => [team, new Set(SECRETS)])),
    deploymentIds: new Set(['shop-11111111']),
    deployments: new Map(
      [...seen.projects.keys()].flatMap((project) => [
        [`${project} folder ./a`, { id: `${project}-./a`, isReady }],
        [`${project} deployment one`, { id: `${project}-one`, isReady: true }],
      ]),
    ),
    team: 'default',
  }));

/** What a platform is after these steps: what Berth does, said shortly. */
function after(platform: Platform, steps: readonly Step[]): Platform {
  const teams = new Map(platform.teams);
  const projects = new Map(
    [...platform.projects].map(([name, { team, environments }]) => [
      name,
      { team, environments: new Map(environments) },
    ]),
  );
  const aliases = new Map(platform.aliases);
  const deployments = new Map(platform.deployments);
  for (const step of steps) {
    if (step.kind === 'team') teams.set(step.team, { plan: step.plan ?? 'unlimited' });
    if (step.kind === 'project')
      projects.set(step.project, { team: step.team ?? platform.team, environments: new Map() });
    if (step.kind === 'deployment') {
      const key = runsKey(step.project, step.runs);
      deployments.set(key, { id: key, ...deployments.get(key), isReady: true });
    }
    if (step.kind === 'alias') {
      const { alias, target } = step;
      if (step.sign === '-') aliases.delete(alias);
      else aliases.set(alias, { target, project: target.split('/')[0] ?? '' });
    }
    if (step.kind !== 'environment') continue;
    const environments = projects.get(step.project)?.environments;
    if (!environments) throw new Error(`${step.project} is not there yet`);
    if (step.sign === '-') {
      if (!environments.delete(step.environment)) throw new Error('removed twice');
      continue;
    }
    const before = environments.get(step.environment);
    const { deed } = step;
    if (deed && deed.seen !== (before?.current?.number ?? 0)) throw new Error('out of date');
    const baseId = deed?.runs ? base(step.project, deed.runs) : before?.current?.baseId;
    const number = (before?.current?.number ?? 0) + 1;
    const kept = { ...before?.settings.variables, ...deed?.set };
    for (const name of deed?.unset ?? []) delete kept[name];
    const limited = { ...before?.settings.limits, ...deed?.limits };
    const scaled = deed?.scale ?? before?.settings.scale;
    environments.set(step.environment, {
      ...(baseId === undefined ? {} : { current: { number, baseId } }),
      settings: {
        variables: kept,
        limits: Object.fromEntries(
          Object.entries(limited).filter(([, value]) => value !== null),
        ) as Partial<Limits>,
        ...(scaled ? { scale: scaled } : {}),
      },
    });
  }
  return { ...platform, teams, projects, aliases, deployments };

  function base(project: string, wanted: WantedRuns): string {
    const id =
      wanted.kind === 'environment'
        ? projects.get(project)?.environments.get(wanted.environment)?.current?.baseId
        : deployments.get(runsKey(project, wanted))?.id;
    if (id === undefined) throw new Error(`${JSON.stringify(wanted)} is not there yet`);
    return id;
  }
}

describe('a plan', () => {
  it('done as it says leaves nothing to do, with and without --prune', () => {
    let reached = 0;
    fc.assert(
      fc.property(stackOf, platformOf, fc.boolean(), (stack, platform, prune) => {
        const { steps, problems } = planStack(stack, platform, { prune });
        if (problems.length > 0) return;
        reached += 1;
        const then = planStack(stack, after(platform, steps), { prune });
        expect(then.problems).toStrictEqual([]);
        expect(then.steps.map(stepSubject)).toStrictEqual([]);
        if (prune) expect(then.unlisted).toStrictEqual([]);
      }),
      { numRuns: 1_500 },
    );
    // The states are drawn so that many can be reached, or the property would say nothing.
    expect(reached).toBeGreaterThan(150);
  });

  it('touches only what is listed, and with --prune never a project, a preview or a deployment', () => {
    fc.assert(
      fc.property(stackOf, platformOf, fc.boolean(), (stack, platform, prune) => {
        for (const step of planStack(stack, platform, { prune }).steps) {
          if (step.kind === 'team') expect(stack.teams.has(step.team)).toBe(true);
          if (step.kind === 'alias' && step.sign !== '-')
            expect(stack.aliases?.has(step.alias)).toBe(true);
          if (step.kind === 'environment') {
            const listed = stack.projects.get(step.project)?.environments;
            expect(listed?.has(step.environment)).toBe(step.sign !== '-');
            for (const name of Object.keys(step.deed?.set ?? {}))
              expect(listed?.get(step.environment)?.variables).toHaveProperty([name]);
            expect(prune || (step.deed?.unset ?? []).length === 0).toBe(true);
          }
          if (step.sign !== '-') continue;
          expect(prune).toBe(true);
          expect(['alias', 'environment']).toContain(step.kind);
          if (step.kind === 'environment') expect(step.environment).not.toMatch(/^preview/);
          if (step.kind === 'alias') {
            const { project = '' } = platform.aliases.get(step.alias) ?? {};
            expect(stack.projects.has(project)).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never shows the value of a variable', () => {
    fc.assert(
      fc.property(platformOf, (platform) => {
        const environments = new Map([['qa', { variables: { TOKEN: 'canary' } }]]);
        const stack: Stack = { teams: new Map(), projects: new Map([['shop', { environments }]]) };
        for (const { because, changes } of planStack(stack, platform, { prune: true }).steps)
          expect(JSON.stringify([because, changes])).not.toContain('canary');
      }),
    );
  });
});

const empty: Platform = {
  teams: new Map([['default', { plan: 'unlimited' }]]),
  projects: new Map(),
  aliases: new Map(),
  secrets: new Map([['default', new Set(['db'])]]),
  deployments: new Map(),
  deploymentIds: new Set(),
  team: 'default',
};
const folder = { kind: 'folder', folder: './shop' } as const;
const from = (environment: string) => ({ kind: 'environment', environment }) as const;
const shop = (environments: Record<string, object>, aliases?: Record<string, string>): Stack => ({
  teams: new Map(),
  projects: new Map([['shop', { environments: new Map(Object.entries(environments)) }]]),
  ...(aliases ? { aliases: new Map(Object.entries(aliases)) } : {}),
});
const plan = (stack: Stack, platform: Platform = empty) =>
  planStack(stack, platform, { prune: false });

describe('a plan for an empty platform', () => {
  it('deploys a folder once, promotes after what it promotes, and sets aliases last', () => {
    const wanted = shop(
      {
        production: { runs: from('staging') },
        staging: { runs: folder, variables: { DB: '@db' } },
        qa: { runs: folder },
      },
      { 'www.example.com': 'shop' },
    );
    const { steps, problems } = plan(wanted);
    expect(problems).toStrictEqual([]);
    expect(steps.map((step) => `${step.sign} ${stepSubject(step)}`)).toStrictEqual([
      '+ project shop',
      '+ deployment of shop from ./shop',
      '+ environment shop/staging',
      '+ environment shop/production',
      '+ environment shop/qa',
      '+ alias www.example.com → shop/production',
    ]);
    expect(steps[2]?.changes).toStrictEqual([
      { sign: '+', what: 'runs a new deployment (./shop)' },
      { sign: '+', what: 'variable DB (secret db)' },
    ]);
  });

  it.each([
    ['a circle', { production: { runs: from('qa') }, qa: { runs: from('production') } }, 'circle'],
    ['nothing to take', { production: { runs: from('staging') } }, 'staging, which runs nothing'],
    [
      'a deployment that is not there',
      { production: { runs: { kind: 'deployment', name: 'none' } } },
      'no deployment of shop',
    ],
    ['a secret that is missing', { qa: { variables: { A: '@none' } } }, 'the secret none'],
  ])('says beforehand that it cannot: %s', (_, environments, said) => {
    const { problems } = plan(shop(environments));
    expect(problems[0]?.message).toContain(said);
    expect(problems[0]?.path.slice(0, 3)).toStrictEqual(['projects', 'shop', 'environments']);
  });

  it('says that aliases lead nowhere, that teams are missing, and that projects do not move', () => {
    const other = plan(shop({}, { 'a.com': 'none', 'b.com': 'shop/none' }));
    expect(other.problems.map(({ path }) => path)).toStrictEqual([
      ['aliases', 'a.com'],
      ['aliases', 'b.com'],
    ]);
    const stack: Stack = { teams: new Map(), projects: new Map([['shop', { team: 'blue' }]]) };
    expect(plan(stack).problems[0]?.message).toContain('neither there nor under "teams"');
    const there = { team: 'default', environments: new Map() };
    const seen = plan(stack, { ...empty, projects: new Map([['shop', there]]) });
    expect(seen.problems[0]?.message).toContain('never moves');
  });
});

describe('what was rolled back', () => {
  it('is said where a plan would roll it forth again', () => {
    const production: SeenEnvironment = {
      current: { number: 5, baseId: 'shop-old' },
      settings: { variables: {}, limits: {} },
      paused: 'v4 was rolled back to v1 by me.',
    };
    const environments = new Map([['production', production]]);
    const { steps } = plan(shop({ production: { runs: folder } }), {
      ...empty,
      projects: new Map([['shop', { team: 'default', environments }]]),
      deployments: new Map([['shop folder ./shop', { id: 'shop-new', isReady: true }]]),
    });
    expect(steps).toMatchObject([
      {
        because: expect.stringContaining('rolled back to v1 by me'),
        changes: [{ sign: '~', what: 'runs shop-old → shop-new (./shop)' }],
        deed: { seen: 5 },
      },
    ]);
  });
});
