/** Stops and continues all processes of an instance by its cgroup's freezer: some 0.1 ms, against 7 ms through Podman. */
import type { InstanceId } from '../../core/model.ts';
import { freezeCgroup, isFrozen as isFrozenCgroup, thawCgroup } from './cgroup.ts';
import type { Context } from './context.ts';
import { executing } from './executing.ts';
import { wrongState } from './instances.ts';

/** Resolves when every process stands still. Throws ENGINE_FAILED when it does not run. */
export async function freeze(context: Context, id: InstanceId): Promise<void> {
  await executing(context, id, ({ known, execution }) => {
    if (known.state === 'parked') throw wrongState(id, 'parked', 'running');
    return freezeCgroup(execution.cgroup.freezer, context.clock);
  });
}

/** Throws ENGINE_FAILED when it does not run. */
export async function thaw(context: Context, id: InstanceId): Promise<void> {
  await executing(context, id, ({ execution }) => thawCgroup(execution.cgroup.freezer));
}

/** Whoever froze it. Throws ENGINE_FAILED when it does not run. */
export async function isFrozen(context: Context, id: InstanceId): Promise<boolean> {
  return executing(context, id, ({ execution }) => isFrozenCgroup(execution.cgroup.freezer));
}
