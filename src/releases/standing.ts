/** Whether a release is needed at all, and where what it runs came from. */
import type { Release } from '../core/model.ts';
import { isSameContent } from '../core/release.ts';
import type { ReleasesNeeds } from './needs.ts';
import type { Plan } from './plan.ts';
import type { ReleaseRequest } from './releases.ts';

/** Whether what is asked for is what stands, and can serve: its image may have been taken away. */
export async function isStanding(
  { store, derivations }: ReleasesNeeds,
  plan: Plan,
  current: Release,
): Promise<boolean> {
  if (!isSameContent(plan.draft, current)) return false;
  const running = await store.deployment(current.deploymentId);
  return running?.state === 'ready' && derivations.hasImage(running);
}

/** The release by which a deployment runs in another environment, or else ran last. */
export async function runsElsewhere(
  { store }: ReleasesNeeds,
  { project, environment, deployment }: ReleaseRequest,
): Promise<Release | undefined> {
  const elsewhere = (await store.releasesOf(deployment.id)).filter(
    (one) => one.project === project && one.environment !== environment,
  );
  return (
    elsewhere.find(({ state }) => state === 'current') ??
    elsewhere.find(({ state }) => state === 'superseded')
  );
}
