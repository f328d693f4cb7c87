/** Which deployments a rollback can still reach, and by which release. */
import { isPreview, PRODUCTION } from './environment.ts';
import type { DeploymentId, Environment, Release } from './model.ts';
import { environmentKey } from './route.ts';
import { eachInSteps, type Steps } from './steps.ts';
import { spanInWords } from './words.ts';

/** What decides about a release. */
export type SeenRelease = Pick<
  Release,
  'project' | 'environment' | 'number' | 'state' | 'baseId' | 'deploymentId' | 'createdAt'
>;

/**
 * What runs or may run again, each with the best reason: a current release before an older one. Of a preview only what is
 * on its way: a branch that nobody looks at any more keeps nothing.
 */
export function* inReach(
  seen: {
    readonly now: number;
    readonly environments: readonly Pick<Environment, 'project' | 'name' | 'current'>[];
    readonly releases: readonly SeenRelease[];
  },
  rules: { readonly keepReleases: number; readonly keepProductionMs: number },
): Steps<ReadonlyMap<DeploymentId, string>> {
  const currents = new Map(
    seen.environments.map(({ project, name, current }) => [environmentKey(project, name), current]),
  );
  const histories = new Map<string, SeenRelease[]>();
  yield* eachInSteps(seen.releases, (release) => {
    const key = environmentKey(release.project, release.environment);
    const history = histories.get(key);
    if (history) history.push(release);
    else histories.set(key, [release]);
  });
  const reached = new Map<DeploymentId, { rank: number; because: string }>();
  for (const [key, history] of histories) {
    const current = currents.get(key);
    for (const { release, rank, because } of reasons(history, current, seen.now, rules)) {
      for (const id of [release.deploymentId, release.baseId]) {
        const known = reached.get(id);
        if (!known || rank < known.rank) reached.set(id, { rank, because });
      }
    }
    yield undefined;
  }
  return new Map([...reached].map(([id, { because }]) => [id, because]));
}

interface Reach {
  readonly release: SeenRelease;
  /** Lower is the better reason. */
  readonly rank: number;
  readonly because: string;
}

function reasons(
  history: readonly SeenRelease[],
  current: number | undefined,
  now: number,
  { keepReleases, keepProductionMs }: { keepReleases: number; keepProductionMs: number },
): readonly Reach[] {
  const newestFirst = history.toSorted((one, other) => other.number - one.number);
  const reached: Reach[] = [];
  let tookTraffic = 0;
  /** When the one before stopped taking traffic: when this one came. */
  let until = now;
  for (const release of newestFirst) {
    const name = `${release.environment} v${release.number}`;
    if (release.state === 'preparing' || release.state === 'trial') {
      reached.push({ release, rank: 1, because: `${name}, which is on its way` });
      continue;
    }
    if (isPreview(release.environment)) continue;
    const isCurrent = release.state === 'current' || release.number === current;
    if (release.state === 'failed' && !isCurrent) continue;
    tookTraffic += 1;
    const sinceMs = now - until;
    if (isCurrent) {
      reached.push({ release, rank: 0, because: `${name}, which takes the traffic` });
    } else if (tookTraffic <= keepReleases) {
      const because = `${name}, within the last ${keepReleases} releases`;
      reached.push({ release, rank: 2, because });
    } else if (release.environment === PRODUCTION && sinceMs <= keepProductionMs) {
      const because = `${name}, took traffic ${spanInWords(sinceMs)} ago, kept ${spanInWords(keepProductionMs)}`;
      reached.push({ release, rank: 3, because });
    }
    until = release.createdAt;
  }
  return reached;
}

/** What each environment runs now: `project/name` → its release. */
export function currentReleases(
  releases: readonly SeenRelease[],
): ReadonlyMap<string, SeenRelease> {
  return new Map(
    releases
      .filter(({ state }) => state === 'current')
      .map((release) => [environmentKey(release.project, release.environment), release]),
  );
}
