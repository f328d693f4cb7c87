/** One release from its number to its traffic: preparing → current, or failed with everything as it was. */
import { BerthError } from '../core/errors.ts';
import type { Release, Scale } from '../core/model.ts';
import { readyBeforeSwitch, versionOf } from '../core/release.ts';
import type { GivingWay } from '../ports/release-store.ts';
import type { ReleasesNeeds } from './needs.ts';
import type { Plan } from './plan.ts';
import type { Pointers } from './pointers.ts';
import { type Trials, whyGaveWay } from './trials.ts';

/** A release just made. */
export interface Made extends Release {
  /** The number of the one that was on trial, and taken back because this took its place. */
  readonly endedTrial?: number;
}

/** What one release of an environment changes besides the store. */
interface Live {
  readonly pointers: Pointers;
  readonly trials: Trials;
}

/**
 * 1. written as `preparing`; 2. its deployment is made and verified, when it is not there; 3. as many instances as the
 * old one has busy are ready; 4. one transaction moves states, pointer and settings; 5. routes and scale follow.
 * What fails before 4 leaves the old release as it was, and one on trial beside it: that gives way in 4. Throws RELEASE_FAILED with the last lines of the log.
 */
export async function performRelease(
  needs: ReleasesNeeds,
  { pointers, trials }: Live,
  plan: Plan,
  signal: AbortSignal,
): Promise<Made> {
  const { store, reporter, clock } = needs;
  const beganAt = clock.now();
  const release = await store.beginRelease(plan.draft);
  const { project, environment, deploymentId } = release;
  const withdraw = pointers.announce({ deploymentId, scale: plan.scale });
  let letGo: (() => void) | undefined;
  let givingWay: GivingWay | undefined;
  try {
    letGo = await makeReady(needs, plan, release, signal);
    const readyAt = clock.now();
    const why = whyGaveWay(release);
    givingWay = trials.givingWay(release, why);
    await commit(needs, release, plan.pausedBecause, givingWay);
    pointers.move(project, environment, { deploymentId, scale: plan.scale });
    trials.gaveWay(release, why);
    reporter.report('info', 'release.current', {
      ...factsOf(release),
      readyMs: Math.round(readyAt - beganAt),
      switchMs: Math.round((clock.now() - readyAt) * 100) / 100,
    });
  } catch (error) {
    throw await failed(needs, release, error);
  } finally {
    withdraw();
    letGo?.();
  }
  const { percent: _, ...whole } = release;
  const ended = givingWay ? { endedTrial: givingWay.number } : {};
  return { ...whole, state: 'current', ...ended };
}

/** The same up to 3.; then `percent` of the clients are sent there, in place of another trial, and the old release stays current. */
export async function performTrial(
  needs: ReleasesNeeds,
  { pointers, trials }: Live,
  plan: Plan,
  { percent, stable }: { readonly percent: number; readonly stable: Release },
  signal: AbortSignal,
): Promise<Made> {
  const release = await needs.store.beginRelease(plan.draft);
  const withdraw = pointers.announce({
    deploymentId: release.deploymentId,
    scale: plan.scale,
  });
  let letGo: (() => void) | undefined;
  try {
    letGo = await makeReady(needs, plan, release, signal);
    const why = whyGaveWay(release, percent);
    const givingWay = trials.givingWay(release, why);
    if (!(await needs.store.beginTrial(release, percent, givingWay))) {
      throw removedMeanwhile(release);
    }
    trials.gaveWay(release, why);
    const onTrial: Release = { ...release, state: 'trial', percent };
    trials.begin(onTrial, stable.deploymentId, plan);
    needs.reporter.report('info', 'release.trial', { ...factsOf(release), percent });
    return givingWay ? { ...onTrial, endedTrial: givingWay.number } : onTrial;
  } catch (error) {
    throw await failed(needs, release, error);
  } finally {
    withdraw();
    letGo?.();
  }
}

/** A release on trial becomes the current one, for everybody. */
export async function completeTrial(
  needs: ReleasesNeeds,
  { pointers, trials }: Live,
  release: Release,
  scale: Scale,
): Promise<Release> {
  const { project, environment, deploymentId } = release;
  await commit(needs, release, undefined, undefined);
  pointers.move(project, environment, { deploymentId, scale });
  trials.finish(release);
  needs.reporter.report('info', 'release.current', factsOf(release));
  const { percent: _, ...whole } = release;
  return { ...whole, state: 'current' };
}

async function makeReady(
  { store, fleet, derivations }: ReleasesNeeds,
  { derivation, scale }: Plan,
  { project, environment, deploymentId }: Release,
  signal: AbortSignal,
): Promise<() => void> {
  if (derivation) await derivations.derive(derivation, signal);
  const [before] = (await store.currentReleases({ project })).filter(
    (one) => one.environment === environment,
  );
  const busy = before
    ? fleet.instances(before.deploymentId).filter(({ state }) => state === 'busy').length
    : 0;
  return fleet.prepare(deploymentId, readyBeforeSwitch(busy, scale), signal);
}

/** The one moment in which the environment changes. */
async function commit(
  { store }: ReleasesNeeds,
  release: Release,
  pausedBecause: string | undefined,
  givingWay: GivingWay | undefined,
): Promise<void> {
  const { project, environment, number } = release;
  let isSwitched: boolean;
  try {
    isSwitched = await store.switchTo(release, pausedBecause, givingWay);
  } catch (error) {
    // The answer may have been lost after the transaction: what is written counts.
    const written = await store.environment(project, environment);
    if (written?.current !== number) throw error;
    isSwitched = true;
  }
  if (!isSwitched) throw removedMeanwhile(release);
}

function removedMeanwhile({ project, environment }: Release): BerthError {
  const detail = `${environment} of ${project} was removed meanwhile.`;
  return new BerthError('ENVIRONMENT_NOT_FOUND', { detail });
}

/** Marks the release as failed, and says so with the log of what failed. */
async function failed(
  { store, reporter }: ReleasesNeeds,
  release: Release,
  error: unknown,
): Promise<BerthError> {
  const known = error instanceof BerthError ? error : new BerthError('INTERNAL', { cause: error });
  const facts = { ...factsOf(release), code: known.code, detail: known.detail };
  reporter.report(known === error ? 'warn' : 'error', 'release.failed', facts);
  try {
    await store.failRelease(release, `${release.because}; failed: ${known.detail} (${known.code})`);
  } catch (unwritten) {
    // The next start marks it: it is not current, and that is what counts.
    reporter.report('error', 'release.unwritten', {
      ...factsOf(release),
      error: String(unwritten),
    });
  }
  const name = `${versionOf(release)} of ${release.environment}`;
  return new BerthError('RELEASE_FAILED', {
    detail: `${name} of ${release.project} failed: ${known.detail} (${known.code})`,
    log: known.log,
    cause: error,
  });
}

function factsOf({ project, environment, number, deploymentId }: Release) {
  return { project, environment, number, deployment: deploymentId };
}
