/** Environments and releases in memory: every change is one synchronous step, so nobody sees half of it. */
import { emptySettings } from '../../core/release.ts';
import type { DeploymentId, Environment, Release } from '../../core/model.ts';
import type { GivingWay, ReleaseStore } from '../../ports/release-store.ts';

type Place = Pick<Release, 'project' | 'environment' | 'number'>;

/** `needOpen` throws SHUTTING_DOWN once the store is closed. */
export function memoryReleases(needOpen: () => void): ReleaseStore {
  const environments = new Map<string, Environment>();
  /** Of each environment in the order of their numbers. */
  const histories = new Map<string, Release[]>();

  const keyOf = (project: string, name: string) => JSON.stringify([project, name]);
  const historyOf = (project: string, name: string) => histories.get(keyOf(project, name)) ?? [];
  const all = () => [...histories.values()].flat();

  function ensure(project: string, name: string, createdAt: number): Environment {
    const key = keyOf(project, name);
    const there = environments.get(key);
    if (there) return there;
    const made = { project, name, latest: 0, settings: emptySettings, createdAt };
    environments.set(key, made);
    return made;
  }

  /** Replaces the release if it is in one of `states`; false otherwise. */
  function change(
    { project, environment, number }: Place,
    states: readonly Release['state'][],
    to: (release: Release) => Release,
  ): boolean {
    const history = historyOf(project, environment);
    const index = history.findIndex((one) => one.number === number);
    const release = history[index];
    if (!release || !states.includes(release.state)) return false;
    history[index] = to(release);
    return true;
  }

  function update(project: string, name: string, to: (one: Environment) => Environment): boolean {
    const there = environments.get(keyOf(project, name));
    if (!there) return false;
    environments.set(keyOf(project, name), to(there));
    return true;
  }

  function giveWay(place: Place, givingWay: GivingWay | undefined): void {
    if (!givingWay) return;
    const { number, because } = givingWay;
    change({ ...place, number }, ['trial'], (one) => ({ ...one, state: 'failed', because }));
  }

  return {
    async environments({ project } = {}) {
      needOpen();
      return [...environments.values()]
        .filter((one) => project === undefined || one.project === project)
        .toSorted((a, b) => compare(a.project, b.project) || compare(a.name, b.name));
    },

    async environment(project, name) {
      needOpen();
      return environments.get(keyOf(project, name));
    },

    async ensureEnvironment(project, name, createdAt) {
      needOpen();
      return ensure(project, name, createdAt);
    },

    async deleteEnvironment(project, name) {
      needOpen();
      environments.delete(keyOf(project, name));
      histories.delete(keyOf(project, name));
    },

    async setInitialSettings(project, name, settings) {
      needOpen();
      if (environments.get(keyOf(project, name))?.current !== undefined) return false;
      return update(project, name, (one) => ({ ...one, settings: structuredClone(settings) }));
    },

    async pauseEnvironment(project, name, because) {
      needOpen();
      update(project, name, ({ pausedBecause: _, ...one }) => ({
        ...one,
        ...(because !== undefined && { pausedBecause: because }),
      }));
    },

    async beginRelease(draft) {
      needOpen();
      const { project, environment } = draft;
      const { latest } = ensure(project, environment, draft.createdAt);
      const release: Release = {
        ...structuredClone(draft),
        number: latest + 1,
        state: 'preparing',
      };
      update(project, environment, (one) => ({ ...one, latest: latest + 1 }));
      histories.set(keyOf(project, environment), [...historyOf(project, environment), release]);
      return release;
    },

    async switchTo(place, pausedBecause, givingWay) {
      needOpen();
      const { project, environment, number } = place;
      const history = historyOf(project, environment);
      const before = history.find((one) => one.state === 'current');
      const isSwitched = change(place, ['preparing', 'trial'], ({ percent: _, ...release }) => ({
        ...release,
        state: 'current',
      }));
      if (!isSwitched) return false;
      giveWay(place, givingWay);
      if (before) change(before, ['current'], (one) => ({ ...one, state: 'superseded' }));
      const settings = history.find((one) => one.number === number)?.settings ?? emptySettings;
      return update(project, environment, ({ pausedBecause: _, ...one }) => ({
        ...one,
        current: number,
        settings,
        ...(pausedBecause !== undefined && { pausedBecause }),
      }));
    },

    async beginTrial(place, percent, givingWay) {
      needOpen();
      const isBegun = change(place, ['preparing'], (one) => ({ ...one, state: 'trial', percent }));
      if (isBegun) giveWay(place, givingWay);
      return isBegun;
    },

    async failRelease(place, because) {
      needOpen();
      return change(place, ['preparing', 'trial'], (one) => ({ ...one, state: 'failed', because }));
    },

    async release(project, environment, number) {
      needOpen();
      return historyOf(project, environment).find((one) => one.number === number);
    },

    async releases({ project, environment, limit, before = Infinity }) {
      needOpen();
      return all()
        .filter((one) => one.project === project && one.number < before)
        .filter((one) => environment === undefined || one.environment === environment)
        .toSorted((a, b) => (environment === undefined ? newestFirst(a, b) : b.number - a.number))
        .slice(0, limit);
    },

    async *releaseOutlines({ project, isCurrent = false } = {}) {
      needOpen();
      yield all()
        .filter((one) => project === undefined || one.project === project)
        .filter(({ state }) => !isCurrent || state === 'current');
    },

    async currentReleases({ project } = {}) {
      needOpen();
      return all()
        .filter((one) => one.state === 'current')
        .filter((one) => project === undefined || one.project === project)
        .toSorted((a, b) => compare(a.project, b.project) || compare(a.environment, b.environment));
    },

    async unfinishedReleases() {
      needOpen();
      return all()
        .filter(isUnfinished)
        .toSorted((a, b) => a.createdAt - b.createdAt);
    },

    async releasesOf(id) {
      needOpen();
      return all()
        .filter((one) => one.deploymentId === id || one.baseId === id)
        .toSorted((a, b) => b.createdAt - a.createdAt || b.number - a.number);
    },

    async deploymentsInReach({ releases, productionSince }) {
      needOpen();
      const reached = new Set<DeploymentId>();
      const keep = (one: Release) => reached.add(one.baseId).add(one.deploymentId);
      for (const history of histories.values()) {
        const served = history.filter((one) => isServed(one));
        for (const [index, one] of served.entries()) {
          const nextAt = served[index + 1]?.createdAt ?? Infinity;
          const isRecent = one.environment === 'production' && nextAt >= productionSince;
          if (index >= served.length - releases || isRecent) keep(one);
        }
        for (const one of history.filter(isUnfinished)) keep(one);
      }
      return reached;
    },
  };
}

const isServed = ({ state }: Release) => state === 'current' || state === 'superseded';
const isUnfinished = ({ state }: Release) => state === 'preparing' || state === 'trial';

function newestFirst(a: Release, b: Release): number {
  return b.createdAt - a.createdAt || compare(b.environment, a.environment) || b.number - a.number;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
