/** Pushes the pages of a frozen instance out to swap: with zram it then holds about a third. */
import type { InstanceId } from '../../core/model.ts';
import { isFrozen, reclaimCgroup } from './cgroup.ts';
import type { Context } from './context.ts';
import { executing } from './executing.ts';
import { wrongState } from './instances.ts';

/** Resolves when the kernel has taken what it could. Throws ENGINE_FAILED when the instance is not frozen. */
export async function reclaim(context: Context, id: InstanceId): Promise<void> {
  await executing(context, id, async ({ known, execution }) => {
    if (!(await isFrozen(execution.cgroup.freezer))) throw wrongState(id, known.state, 'frozen');
    await reclaimCgroup(execution.cgroup.memory);
  });
}
