/** After a restart: what was under way has failed, and what it had made goes. */
import { versionOf } from '../core/release.ts';
import type { ReleasesNeeds } from './needs.ts';

/** Before deploys are continued: a release that nobody waits for must not go on booting what it was about to run. */
export async function recover({ store, derivations, reporter }: ReleasesNeeds): Promise<void> {
  const interrupted = await store.unfinishedReleases();
  for (const release of interrupted) {
    const { project, environment, number } = release;
    await store.failRelease(release, `${release.because}; failed: Berth was stopped meanwhile`);
    reporter.report('warn', 'release.interrupted', { project, environment, number });
  }
  for (const { deploymentId } of interrupted) {
    const deployment = await store.deployment(deploymentId);
    if (!deployment?.derivedFrom) continue;
    const uses = await store.releasesOf(deploymentId);
    if (uses.some(({ state }) => state !== 'failed')) continue;
    await derivations.remove(deployment);
    const because = uses.map((one) => `${one.environment} ${versionOf(one)}`).join(', ');
    reporter.report('info', 'release.leftover-removed', { deployment: deploymentId, because });
  }
}
