/** The contract of `ports/release-store.ts` as tests, called by the contract of all stores. */
import { describe, expect, it } from 'vitest';
import type { Release } from '../core/model.ts';
import { emptySettings } from '../core/release.ts';
import type { ReleaseDraft } from '../ports/release-store.ts';
import type { Store } from '../ports/store.ts';

/** A release of production of `shop`, before it has a number. */
function aDraft(changes: Partial<ReleaseDraft> = {}): ReleaseDraft {
  return {
    project: 'shop',
    environment: 'production',
    kind: 'deploy',
    baseId: 'shop-1',
    deploymentId: 'shop-1',
    settings: emptySettings,
    secrets: {},
    because: 'Deploy shop-1',
    createdAt: 1_795_252_808_349.7,
    createdBy: 'local',
    ...changes,
  };
}

interface Fresh {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
}

/** `fresh` gives an empty store for one test. */
export function releaseStoreContract(name: string, fresh: () => Promise<Fresh>): void {
  /** Begins a release and lets it take the traffic. */
  async function released(store: Store, changes: Partial<ReleaseDraft> = {}): Promise<Release> {
    const release = await store.beginRelease(aDraft(changes));
    expect(await store.switchTo(release)).toBe(true);
    return { ...release, state: 'current' };
  }

  describe(`${name} keeps environments and releases`, () => {
    it('and gives back what was written, every optional key absent or present', async () => {
      const { store } = await fresh();
      const settings = {
        variables: { "it's": '\ud800 "🛥"', A: '' },
        limits: { durationMs: 1_000 },
        scale: { min: 1, max: 3 },
      };
      const draft = aDraft({ settings, secrets: { key: 2 }, percent: 12.5, kind: 'promote' });
      const release = await store.beginRelease(draft);
      expect(release).toStrictEqual({ ...draft, number: 1, state: 'preparing' });
      expect(await store.release('shop', 'production', 1)).toStrictEqual(release);
      expect(await store.environment('shop', 'production')).toStrictEqual({
        project: 'shop',
        name: 'production',
        latest: 1,
        settings: emptySettings,
        createdAt: draft.createdAt,
      });
      await store.switchTo(release, 'rolled back by hand');
      expect(await store.environment('shop', 'production')).toStrictEqual({
        project: 'shop',
        name: 'production',
        current: 1,
        latest: 1,
        settings,
        pausedBecause: 'rolled back by hand',
        createdAt: draft.createdAt,
      });
    });

    it('and knows nothing of what was never written', async () => {
      const { store } = await fresh();
      expect(await store.environment('shop', 'production')).toBeUndefined();
      expect(await store.release('shop', 'production', 1)).toBeUndefined();
      expect(await store.environments()).toStrictEqual([]);
      expect(await store.releases({ project: 'shop' })).toStrictEqual([]);
      expect(await store.unfinishedReleases()).toStrictEqual([]);
      expect(await store.switchTo({ ...aDraft(), number: 1 })).toBe(false);
      expect(await store.failRelease({ ...aDraft(), number: 1 }, 'why')).toBe(false);
    });

    it('and gives every one of many simultaneous releases a number of its own, without a gap', async () => {
      const { store } = await fresh();
      const begun = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.beginRelease(aDraft({ environment: index % 2 ? 'staging' : 'production' })),
        ),
      );
      for (const environment of ['production', 'staging']) {
        const numbers = begun.flatMap((one) =>
          one.environment === environment ? [one.number] : [],
        );
        expect(numbers.toSorted((a, b) => a - b)).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      }
    });

    it('and never gives a number twice, though the release before failed', async () => {
      const { store } = await fresh();
      const first = await store.beginRelease(aDraft());
      await store.failRelease(first, 'it did not boot');
      expect((await store.beginRelease(aDraft())).number).toBe(2);
      expect(await store.release('shop', 'production', 1)).toMatchObject({
        state: 'failed',
        because: 'it did not boot',
      });
    });

    it('and moves state, predecessor, pointer and settings together', async () => {
      const { store } = await fresh();
      const other = await released(store, { environment: 'staging' });
      await released(store);
      const scale = { min: 2, max: 5 };
      await released(store, {
        deploymentId: 'shop-2',
        settings: { variables: { A: '1' }, limits: {}, scale },
      });
      const states = (await store.releases({ project: 'shop', environment: 'production' })).map(
        ({ number, state }) => [number, state],
      );
      expect(states).toStrictEqual([
        [2, 'current'],
        [1, 'superseded'],
      ]);
      expect(await store.environment('shop', 'production')).toMatchObject({
        current: 2,
        latest: 2,
        settings: { variables: { A: '1' }, scale },
      });
      expect(await store.release('shop', 'staging', 1)).toStrictEqual(other);
    });

    it('and switches to a release only once, and never to one that failed', async () => {
      const { store } = await fresh();
      const first = await released(store);
      const second = await released(store);
      expect(await store.switchTo(first)).toBe(false);
      expect(await store.switchTo(second)).toBe(false);
      const third = await store.beginRelease(aDraft());
      await store.failRelease(third, 'why');
      expect(await store.switchTo(third)).toBe(false);
      expect(await store.failRelease(second, 'too late')).toBe(false);
      expect(await store.environment('shop', 'production')).toMatchObject({ current: 2 });
    });

    it('and lets a release be on trial before it takes all traffic', async () => {
      const { store } = await fresh();
      await released(store);
      const trial = await store.beginRelease(aDraft({ deploymentId: 'shop-2' }));
      expect(await store.beginTrial(trial, 10)).toBe(true);
      expect(await store.beginTrial(trial, 20)).toBe(false);
      expect(await store.unfinishedReleases()).toMatchObject([{ number: 2, percent: 10 }]);
      expect(await store.currentReleases()).toMatchObject([{ number: 1 }]);
      expect(await store.switchTo(trial)).toBe(true);
      expect(await store.release('shop', 'production', 2)).toStrictEqual({
        ...trial,
        state: 'current',
      });
    });

    it('and fails the release on trial that gives way with the switch, and only then', async () => {
      const { store } = await fresh();
      await released(store);
      const begin = async (percent: number, givingWay?: { number: number; because: string }) => {
        const trial = await store.beginRelease(aDraft({ deploymentId: 'shop-2' }));
        expect(await store.beginTrial(trial, percent, givingWay)).toBe(true);
        return trial;
      };
      const stateOf = async (number: number) => {
        const found = await store.release('shop', 'production', number);
        return [found?.state, found?.because];
      };
      const first = await begin(10);
      const failing = await store.beginRelease(aDraft({ deploymentId: 'shop-3' }));
      await store.failRelease(failing, 'it crashed');
      const way = { number: first.number, because: 'taken back' };
      expect(await store.switchTo(failing, undefined, way)).toBe(false);
      expect(await store.beginTrial(failing, 10, way)).toBe(false);
      expect(await stateOf(first.number)).toStrictEqual(['trial', 'Deploy shop-1']);
      const second = await begin(20, way);
      expect(await stateOf(first.number)).toStrictEqual(['failed', 'taken back']);
      const next = await store.beginRelease(aDraft({ deploymentId: 'shop-3' }));
      const last = { number: second.number, because: 'v5 was released' };
      expect(await store.switchTo(next, undefined, last)).toBe(true);
      expect(await stateOf(second.number)).toStrictEqual(['failed', 'v5 was released']);
      expect(await store.unfinishedReleases()).toStrictEqual([]);
      // What ended in another way meanwhile keeps its end.
      const after = await store.beginRelease(aDraft());
      expect(await store.switchTo(after, undefined, { ...last, because: 'again' })).toBe(true);
      expect(await stateOf(second.number)).toStrictEqual(['failed', 'v5 was released']);
    });

    it('and pauses automatic deploys until the next switch', async () => {
      const { store } = await fresh();
      await store.switchTo(await store.beginRelease(aDraft()), 'rolled back');
      expect(await store.environment('shop', 'production')).toMatchObject({
        pausedBecause: 'rolled back',
      });
      await released(store);
      expect((await store.environment('shop', 'production'))?.pausedBecause).toBeUndefined();
      await store.pauseEnvironment('shop', 'production', 'by hand');
      expect((await store.environment('shop', 'production'))?.pausedBecause).toBe('by hand');
      await store.pauseEnvironment('shop', 'production', undefined);
      expect(await store.environment('shop', 'production')).not.toHaveProperty('pausedBecause');
    });

    it('and takes settings without a release only as long as nothing is released', async () => {
      const { store } = await fresh();
      const settings = { variables: { A: '1' }, limits: {} };
      expect(await store.setInitialSettings('shop', 'staging', settings)).toBe(false);
      const made = await store.ensureEnvironment('shop', 'staging', 5);
      expect(await store.ensureEnvironment('shop', 'staging', 6)).toStrictEqual(made);
      expect(await store.setInitialSettings('shop', 'staging', settings)).toBe(true);
      expect(await store.environment('shop', 'staging')).toMatchObject({ latest: 0, settings });
      await released(store, { environment: 'staging' });
      expect(await store.setInitialSettings('shop', 'staging', settings)).toBe(false);
    });

    it('and lists newest first, in pages, of an environment or of a project', async () => {
      const { store } = await fresh();
      await Promise.all(
        Array.from({ length: 250 }, () => store.beginRelease(aDraft({ environment: 'preview/a' }))),
      );
      for (const createdAt of [3, 5, 4]) await released(store, { project: 'b', createdAt });
      await released(store, { project: 'b', environment: 'staging', createdAt: 4.5 });
      const query = { project: 'shop', environment: 'preview/a' };
      const all = await store.releases(query);
      expect(all.map(({ number }) => number)).toStrictEqual(
        Array.from({ length: 250 }, (_, index) => 250 - index),
      );
      const page = await store.releases({ ...query, before: 11, limit: 3 });
      expect(page.map(({ number }) => number)).toStrictEqual([10, 9, 8]);
      const ofProject = await store.releases({ project: 'b' });
      expect(ofProject.map(({ createdAt }) => createdAt)).toStrictEqual([5, 4.5, 4, 3]);
      const whole = await store.releases({ project: 'shop' });
      expect(new Set(whole.map(({ number }) => number)).size).toBe(250);
      expect((await store.environments()).map((one) => [one.project, one.name])).toStrictEqual([
        ['b', 'production'],
        ['b', 'staging'],
        ['shop', 'preview/a'],
      ]);
      expect(await store.environments({ project: 'b' })).toHaveLength(2);
    });

    it('and lists what is current of several hundred environments, each once', async () => {
      const { store } = await fresh();
      const names = Array.from({ length: 230 }, (_, index) => `p${String(index).padStart(3, '0')}`);
      await Promise.all(names.map((project) => released(store, { project })));
      await released(store, { project: 'p100', environment: 'staging' });
      await store.beginRelease(aDraft({ project: 'p101' }));
      const found = await store.currentReleases();
      expect(found.map(({ project }) => project)).toStrictEqual(
        [...names, 'p100'].toSorted((a, b) => (a < b ? -1 : 1)),
      );
      const outlined = async (filter?: { project?: string; isCurrent?: boolean }) => {
        const all: string[] = [];
        for await (const page of store.releaseOutlines(filter)) {
          for (const one of page) all.push(`${one.project}/${one.environment} v${one.number}`);
        }
        return all.toSorted();
      };
      const current = found.map((one) => `${one.project}/${one.environment} v${one.number}`);
      expect(await outlined({ isCurrent: true })).toStrictEqual(current.toSorted());
      expect(await outlined()).toStrictEqual([...current, 'p101/production v2'].toSorted());
      expect(await outlined({ project: 'p101' })).toHaveLength(2);
      for await (const [one] of store.releaseOutlines({ project: 'p100', isCurrent: true })) {
        expect(one).toMatchObject({
          state: 'current',
          baseId: 'shop-1',
          deploymentId: 'shop-1',
          createdAt: aDraft().createdAt,
        });
      }
    });

    it('and finds the releases of a deployment, whether they run it or are based on it', async () => {
      const { store } = await fresh();
      await released(store, { deploymentId: 'shop-x' });
      await released(store, { baseId: 'shop-y', deploymentId: 'shop-1', createdAt: 2e12 });
      await released(store, { baseId: 'shop-z', deploymentId: 'shop-z' });
      const found = await store.releasesOf('shop-1');
      expect(found.map(({ number }) => number)).toStrictEqual([2, 1]);
      expect(await store.currentReleases({ project: 'shop' })).toHaveLength(1);
      expect(await store.currentReleases({ project: 'other' })).toStrictEqual([]);
    });

    it('and forgets an environment with its history, and numbers a new one from 1', async () => {
      const { store } = await fresh();
      await released(store);
      await released(store, { environment: 'staging' });
      await store.deleteEnvironment('shop', 'production');
      await store.deleteEnvironment('shop', 'production');
      expect(await store.environment('shop', 'production')).toBeUndefined();
      expect(await store.releases({ project: 'shop' })).toHaveLength(1);
      expect((await store.beginRelease(aDraft())).number).toBe(1);
    });

    it('and knows what is in reach of rollback: so many that took traffic, and in production a time', async () => {
      const { store } = await fresh();
      for (const [index, environment] of ['production', 'staging'].entries()) {
        for (const number of [1, 2, 3, 4, 5]) {
          await released(store, {
            environment,
            baseId: `base-${environment}-${number}`,
            deploymentId: `${environment}-${number}`,
            createdAt: number * 100 + index,
          });
        }
      }
      const failed = await store.beginRelease(aDraft({ baseId: 'failed', deploymentId: 'failed' }));
      await store.failRelease(failed, 'why');
      await store.beginRelease(aDraft({ baseId: 'begun', deploymentId: 'begun' }));
      const reach = async (releases: number, productionSince: number) =>
        [...(await store.deploymentsInReach({ releases, productionSince }))]
          .filter((id) => !id.startsWith('base-'))
          .toSorted();
      expect(await reach(2, 9_999)).toStrictEqual([
        'begun',
        'production-4',
        'production-5',
        'staging-4',
        'staging-5',
      ]);
      // At 250 the second was current: it took traffic until the third came at 300.
      expect(await reach(1, 250)).toStrictEqual([
        'begun',
        'production-2',
        'production-3',
        'production-4',
        'production-5',
        'staging-5',
      ]);
      const withBases = await store.deploymentsInReach({ releases: 1, productionSince: 9_999 });
      expect(withBases.has('base-staging-5')).toBe(true);
      expect(withBases.has('base-staging-4')).toBe(false);
    });

    it('and has everything again when it is opened again, if it keeps data at all', async () => {
      const { store, reopen } = await fresh();
      if (!reopen) return;
      const release = await released(store);
      const begun = await store.beginRelease(aDraft());
      const again = await reopen();
      expect(await again.releases({ project: 'shop' })).toStrictEqual([begun, release]);
      expect(await again.environment('shop', 'production')).toMatchObject({
        current: 1,
        latest: 2,
      });
    });
  });
}
