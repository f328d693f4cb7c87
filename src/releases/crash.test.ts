/** The process dies at every single call of a release: afterwards everything is as before, or as after. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Release } from '../core/model.ts';
import { type Calls, openWorld } from './fixtures/world.ts';

const PRODUCTION = { project: 'shop', environment: 'production', createdBy: 'me' } as const;
const variables = (A: string) => () => ({ variables: { A }, limits: {} });

type World = Awaited<ReturnType<typeof openWorld>>;
type Process = Awaited<ReturnType<World['boot']>>;

/** What is done while the process dies, and what stood before it. */
interface Act {
  readonly name: string;
  readonly prepare: (process: Process) => Promise<void>;
  /** What the process does that is to die: a trial ends with the process that it was begun in. */
  readonly begin?: (process: Process) => Promise<unknown>;
  readonly act: (process: Process) => Promise<unknown>;
  /** It moves no pointer for good. */
  readonly isPassing?: true;
}

const withTwo = async (process: Process) => {
  await releaseOf(process, 'one');
  await process.deploy('two');
};

async function tryTwo(process: Process): Promise<Release> {
  return process.releases.release({
    ...PRODUCTION,
    deployment: await process.deploy('two'),
    percent: 10,
  });
}

async function releaseOf(process: Process, name: string): Promise<Release> {
  return process.releases.release({ ...PRODUCTION, deployment: await process.deploy(name) });
}

const ACTS: readonly Act[] = [
  {
    name: 'the first release',
    prepare: async ({ deploy }) => void (await deploy('one')),
    act: (process) => releaseOf(process, 'one'),
  },
  {
    name: 'a release of another deployment',
    prepare: withTwo,
    act: (process) => releaseOf(process, 'two'),
  },
  {
    name: 'a promotion from another environment',
    prepare: async (process) => {
      await releaseOf(process, 'one');
      const deployment = await process.deploy('two');
      await process.releases.release({ ...PRODUCTION, environment: 'staging', deployment });
    },
    act: async (process) =>
      process.releases.release({
        ...PRODUCTION,
        deployment: await process.deploy('two'),
        from: { environment: 'staging', number: 1 },
      }),
  },
  { name: 'the beginning of a trial', prepare: withTwo, act: tryTwo, isPassing: true },
  {
    name: 'the release of what is on trial',
    prepare: withTwo,
    begin: tryTwo,
    act: (process) => releaseOf(process, 'two'),
  },
  {
    name: 'a change of variables, which derives a deployment',
    prepare: async (process) => void (await releaseOf(process, 'one')),
    act: ({ releases }) =>
      releases.change({ ...PRODUCTION, kind: 'variables', change: variables('2') }),
  },
  {
    name: 'a rollback to other variables',
    prepare: async (process) => {
      await releaseOf(process, 'one');
      const { releases } = process;
      await releases.change({ ...PRODUCTION, kind: 'variables', change: variables('2') });
      await releaseOf(process, 'two');
    },
    act: ({ releases }) => releases.rollback(PRODUCTION),
  },
];

/** Lets `count` calls through and none after: the last one is done or not, and nobody ever hears of it. */
function dyingAfter(count: number, isLastDone: boolean) {
  let made = 0;
  let isArmed = false;
  const died = Promise.withResolvers<void>();
  const call: Calls = (_name, act) => {
    if (!isArmed) return act();
    made += 1;
    if (made < count) return act();
    if (made === count && isLastDone) void act();
    died.resolve();
    return new Promise(() => undefined);
  };
  return { call, died: died.promise, arm: () => void (isArmed = true) };
}

/** Everything that must be so after every start; `underWay` are the states of releases that wait for their end. */
async function check(
  { store }: World,
  process: Process,
  underWay: readonly Release['state'][] = [],
): Promise<number | undefined> {
  const unfinished = await store.unfinishedReleases();
  expect(unfinished.map(({ state }) => state)).toStrictEqual(underWay);
  const history = await store.releases({ project: 'shop', environment: 'production' });
  const environment = await store.environment('shop', 'production');
  const current = history.filter(({ state }) => state === 'current');
  expect(current.map(({ number }) => number)).toStrictEqual(
    environment?.current === undefined ? [] : [environment.current],
  );
  if (current[0]) expect(environment?.settings).toStrictEqual(current[0].settings);
  expect(await process.servedBy('shop.localhost')).toBe(current[0]?.deploymentId);
  const used = new Set(
    history.filter(({ state }) => state !== 'failed').map(({ deploymentId }) => deploymentId),
  );
  for (const { id, derivedFrom } of await store.deployments()) {
    if (derivedFrom !== undefined) expect(used).toContain(id);
  }
  return environment?.current;
}

describe.each(ACTS)('$name', ({ prepare, begin, act, isPassing }) => {
  it.each([
    ['is not done', false],
    ['is done', true],
  ])(
    'killed at each call, which %s: before or after, never between',
    async (_name, isLastDone) => {
      const outcomes: string[] = [];
      for (let count = 1; ; count += 1) {
        expect(count).toBeLessThan(300);
        const world = await openWorld();
        onTestFinished(() => world.close());
        const first = await world.boot();
        await prepare(first);
        await first.close();
        const before = (await world.store.environment('shop', 'production'))?.current;

        const { call, died, arm } = dyingAfter(count, isLastDone);
        const dying = await world.boot(call);
        await begin?.(dying);
        arm();
        const ended = (async () => {
          await act(dying);
          return 'ended' as const;
        })();
        const how = await Promise.race([ended, died.then(() => 'died' as const)]);
        dying.die();
        // The failure of what was cut off is nobody's any more.
        ended.catch(() => undefined);

        const next = await world.boot();
        const after = await check(world, next);
        outcomes.push(after === before ? 'before' : 'after');
        await act(next);
        const last = await check(world, next, isPassing ? ['trial'] : []);
        expect(last).toBeGreaterThanOrEqual(after ?? 1);
        if (how === 'ended') break;
      }
      // Both were really met, the old state first and the new one from some call on.
      const met = isPassing ? /^before( before)*$/ : /^before( before)*( after)+$/;
      expect(outcomes.join(' ')).toMatch(met);
    },
    60_000,
  );
});
