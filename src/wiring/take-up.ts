/** What has to be known and taken over before the first request, in its order. */
import type { Aliases } from '../aliases/open.ts';
import type { Deployer } from '../deploys/deployer.ts';
import type { Directory } from '../deploys/directory.ts';
import type { Store } from '../ports/store.ts';
import type { Releases } from '../releases/releases.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

interface Parts {
  readonly store: Store;
  readonly directory: Directory;
  readonly aliases: Aliases;
  readonly scheduler: Scheduler;
  readonly releases: Releases;
  readonly deployer: Deployer;
}

/**
 * Every deployment, what environments run and at which scale, then what the engine still runs of it, then what was not
 * finished. The caller stops the parts, also when this throws.
 *
 * @returns how many deployments there are.
 */
export async function takeUp(parts: Parts): Promise<number> {
  const { store, directory, aliases, scheduler, releases, deployer } = parts;
  let count = 0;
  for await (const page of store.deploymentPages()) {
    for (const deployment of page) {
      directory.note(deployment);
      if (deployment.state === 'ready') scheduler.know(deployment);
    }
    count += page.length;
  }
  await aliases.load();
  // Before the fleet starts: how many of those that run may stay is for the environments to say.
  await releases.open();
  await scheduler.start();
  await releases.recover();
  await deployer.resume();
  return count;
}
