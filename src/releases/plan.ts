/** What a release would run: looked up and checked before anything is written or touched. */
import { BerthError } from '../core/errors.ts';
import type { Deployment, DeploymentId, Release, Scale } from '../core/model.ts';
import { configurationWith, scaleOf, whatRuns } from '../core/release.ts';
import type { Derivation } from '../ports/derivation.ts';
import type { ReleaseDraft } from '../ports/release-store.ts';
import type { ReleasesNeeds } from './needs.ts';

/** A release that can be begun. */
export interface Plan {
  readonly draft: ReleaseDraft;
  readonly scale: Scale;
  /** Absent: what it runs is there and was verified. */
  readonly derivation?: Derivation;
  readonly pausedBecause?: string;
}

type Wanted = Pick<Release, 'project' | 'environment' | 'baseId' | 'settings' | 'secrets'> &
  Omit<ReleaseDraft, 'deploymentId'>;

/** Throws DEPLOYMENT_NOT_FOUND, NOT_READY, IMAGE_GONE or HOSTNAME_TAKEN. */
export async function planRelease(needs: ReleasesNeeds, wanted: Wanted): Promise<Plan> {
  const { store, derivations, routes } = needs;
  const { project, environment, settings, secrets } = wanted;
  const base = await store.deployment(wanted.baseId);
  if (!base || base.project !== project) {
    const detail = `${project} has no deployment ${wanted.baseId}.`;
    throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail });
  }
  if (base.state !== 'ready') {
    throw new BerthError('NOT_READY', { detail: `${base.id} is ${base.state}.` });
  }
  await needImage(needs, base);
  await routes.check(project, environment);
  const scale = scaleOf(environment, settings, base.configuration);
  const runs = whatRuns(base, settings, secrets);
  if (runs.kind === 'base') return { draft: { ...wanted, deploymentId: base.id }, scale };
  const derivation = {
    base,
    configuration: runs.configuration,
    secrets,
    createdBy: wanted.createdBy,
  };
  // Made once before, perhaps by somebody who deployed it just so.
  const deploymentId = derivations.idOf(derivation);
  return { draft: { ...wanted, deploymentId }, scale, derivation };
}

/** A rollback runs what the old release ran, also when what it was derived from was removed since. Throws IMAGE_GONE. */
export async function planRollback(
  needs: ReleasesNeeds,
  wanted: Omit<ReleaseDraft, 'deploymentId'>,
  oldDeploymentId: DeploymentId,
): Promise<Plan> {
  const { store, derivations, routes } = needs;
  const old = await store.deployment(oldDeploymentId);
  // One that was derived can be made again of a base that was built again.
  const isMadeAgain = old?.derivedFrom !== undefined && !(await derivations.hasImage(old));
  if (old?.state === 'ready' && !isMadeAgain) {
    await needImage(needs, old);
    await routes.check(wanted.project, wanted.environment);
    const scale = scaleOf(wanted.environment, wanted.settings, old.configuration);
    return { draft: { ...wanted, deploymentId: old.id }, scale };
  }
  const base = await store.deployment(wanted.baseId);
  if (base) return planRelease(needs, wanted);
  const both = oldDeploymentId === wanted.baseId ? '' : `, and so was ${wanted.baseId}`;
  const detail = `${oldDeploymentId} was removed${both}.`;
  throw new BerthError('IMAGE_GONE', { detail });
}

/** The versions of secrets that a base with these settings names: those of `kept`, else the newest. */
export async function pinFor(
  { store, secrets }: ReleasesNeeds,
  { project, baseId, settings }: Pick<Release, 'project' | 'baseId' | 'settings'>,
  kept?: Release['secrets'],
): Promise<Release['secrets']> {
  const base = await store.deployment(baseId);
  if (!base) return kept ?? {};
  return secrets.pin(project, configurationWith(base.configuration, settings).env, kept);
}

async function needImage({ derivations }: ReleasesNeeds, deployment: Deployment): Promise<void> {
  if (await derivations.hasImage(deployment)) return;
  const detail = `The image of ${deployment.id} is not there any more.`;
  throw new BerthError('IMAGE_GONE', { detail });
}
