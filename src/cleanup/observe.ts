/** Looks at everything that clean-up decides by. */
import type { Seen, SeenDeployment } from '../core/gc.ts';
import type { Deployment, DeploymentId, InstanceState } from '../core/model.ts';
import type { SeenRelease } from '../core/reach.ts';
import type { StoredImage } from '../ports/engine.ts';
import { namesIn } from './measure.ts';
import type { CleanupNeeds } from './needs.ts';

const ASLEEP: ReadonlySet<InstanceState> = new Set(['parked', 'frozen', 'reclaimed', 'stopped']);

/** With the blob that lists its files. */
interface SeenRow extends SeenDeployment {
  readonly manifest?: string;
}

export interface Observed extends Seen {
  readonly deployments: readonly SeenRow[];
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
  const deployments: SeenRow[] = [];
  for await (const page of store.deploymentPages()) deployments.push(...page.map(rowOf));
  const environments = await store.environments();
  const releases: SeenRelease[] = [];
  for await (const page of store.releaseOutlines()) releases.push(...page);
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

/** What its configuration says plays no part, and is by far the most of it. */
function rowOf(deployment: Deployment): SeenRow {
  const { id, project, state, createdAt, readyAt, derivedFrom, image, source } = deployment;
  return {
    id,
    project,
    state,
    createdAt,
    ...(readyAt === undefined ? {} : { readyAt }),
    ...(derivedFrom === undefined ? {} : { derivedFrom }),
    ...(image ? { image: { id: image.id } } : {}),
    ...(source.kind === 'folder' ? { manifest: source.manifest } : {}),
  };
}
