/** Removing a whole project: aliases, environments with their history, deployments, and then its name. */
import type { Deployment } from '../core/model.ts';
import type { ApiNeeds } from './needs.ts';
import { removeAliasesTo } from './with-aliases.ts';

/** How many of them went. */
export interface Removed {
  readonly deployments: number;
  readonly environments: number;
  readonly aliases: number;
}

/** Stopping one takes up to its grace; more at once would only wait for the engine. */
const AT_ONCE = 4;

/**
 * Nobody is sent there first, then what ran is stopped, and the name is free when all is gone. A crash in between leaves a
 * project with less in it, which can be removed again. Throws ALIASED before anything is touched, PROJECT_BUSY.
 */
export async function removeProject(
  needs: ApiNeeds,
  project: string,
  isWithAliases: boolean | undefined,
): Promise<Removed> {
  const { access, cleanup, deployer, releases, reporter, store } = needs;
  let removed: Removed = { deployments: 0, environments: 0, aliases: 0 };
  await access.removeProject(project, async () => {
    const aliases = await removeAliasesTo(needs, { project }, isWithAliases);
    const environments = await store.environments({ project });
    for (const { name } of environments) {
      // Clean-up may have taken a preview meanwhile.
      if (await store.environment(project, name)) await releases.remove(project, name);
    }
    const deployments = await store.deployments({ project });
    await eachAtOnce(deployments, (deployment) => deployer.removeRow(deployment));
    removed = {
      deployments: deployments.length,
      environments: environments.length,
      aliases: aliases.length,
    };
  });
  try {
    await cleanup.clear();
  } catch (error) {
    // The project is gone; the next clean-up takes its images and its network.
    reporter.report('warn', 'project.left', { project, error: String(error) });
  }
  return removed;
}

async function eachAtOnce(
  deployments: readonly Deployment[],
  remove: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const left = [...deployments];
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) await remove(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
