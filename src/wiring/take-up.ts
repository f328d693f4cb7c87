/** What has to be known and taken over before the first request, in its order. */
import type { Deployment } from '../core/model.ts';
import type { Store } from '../ports/store.ts';

/** Of each part what is asked of it here. */
interface Parts {
  readonly store: Store;
  readonly directory: { note(deployment: Deployment): void };
  readonly aliases: { load(): Promise<void> };
  readonly scheduler: { know(deployment: Deployment): void; start(): Promise<void> };
  readonly releases: { open(): Promise<void>; recover(): Promise<void> };
  readonly deployer: { resume(): Promise<void> };
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
