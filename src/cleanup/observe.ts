/** Looks at everything that clean-up decides by. */
import type { Seen } from '../core/gc.ts';
import type { DeploymentId, InstanceState } from '../core/model.ts';
import type { StoredImage } from '../ports/engine.ts';
import { namesIn } from './measure.ts';
import type { CleanupNeeds } from './needs.ts';

const ASLEEP: ReadonlySet<InstanceState> = new Set(['parked', 'frozen', 'reclaimed', 'stopped']);

export interface Observed extends Seen {
  readonly images: readonly StoredImage[];
}

/**
 * The order is the safety: what is made is first named by a row, then by the ledger, so the ledger is read before the
 * rows. What names a deployment (a release, an alias, a request) is read after it.
 */
export async function observe(
  needs: CleanupNeeds,
  lastRequestAt: ReadonlyMap<DeploymentId, number>,
): Promise<Observed> {
  const { store, engine, folders, fleet, deploys, clock } = needs;
  const [ledger, logs, builds] = await Promise.all([
    store.ledger(),
    namesIn(folders.logs),
    namesIn(folders.builds),
  ]);
  const images = await engine.images();
  const deployments = await store.deployments();
  const environments = await store.environments();
  const releases = [];
  for (const project of new Set(environments.map((environment) => environment.project))) {
    releases.push(...(await store.releases({ project })));
  }
  const aliases = await needs.aliases();
  const awake = new Set<DeploymentId>();
  for (const { deploymentId, state, inFlight } of fleet.instances()) {
    if (inFlight > 0 || !ASLEEP.has(state)) awake.add(deploymentId);
  }
  return {
    now: clock.now(),
    deployments,
    environments,
    releases,
    aliases,
    awake,
    underWay: deploys.underWay(),
    isBuilding: deploys.isBuilding(),
    lastRequestAt,
    ledger,
    images,
    logs,
    builds,
  };
}
