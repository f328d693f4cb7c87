/** `berth down --instances`: the server takes everything that runs along when it ends. */
import type { InstanceView } from '../core/model.ts';
import type { Engine } from '../ports/engine.ts';
import type { Store } from '../ports/store.ts';

interface Parts {
  readonly store: Store;
  readonly engine: Engine;
  readonly scheduler: {
    instances(): readonly InstanceView[];
    remove(id: string): Promise<void>;
  };
  /** Hears how many are left after all. */
  readonly tellLeft: (count: number) => Promise<void>;
}

/** Drains and removes all instances, and the networks of projects. Throws what kept the first one that would not go. */
export async function removeInstances(parts: Parts): Promise<void> {
  const { store, engine, scheduler, tellLeft } = parts;
  const ids = new Set(scheduler.instances().map(({ deploymentId }) => deploymentId));
  // One that will not go must not keep the others, nor what there is to say of it.
  const removals = await Promise.allSettled([...ids].map((id) => scheduler.remove(id)));
  // Also what the scheduler does not know of: cut off while it was made, say.
  await Promise.allSettled((await engine.list()).map(({ id }) => engine.remove(id)));
  await tellLeft((await engine.list()).length);
  for (const removal of removals) if (removal.status === 'rejected') throw removal.reason;
  const projects = new Set((await store.deployments()).map(({ project }) => project));
  for (const project of projects) await engine.removeNetwork(project);
}
