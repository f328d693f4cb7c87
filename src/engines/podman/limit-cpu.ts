/** Ends the boot boost: the CPU quota of the slot is written to the cgroup. */
import type { InstanceId } from '../../core/model.ts';
import { writeCpuQuota } from './cgroup.ts';
import type { Context } from './context.ts';
import { executing } from './executing.ts';
import { wrongState } from './instances.ts';

/** Throws ENGINE_FAILED when nothing runs. The slot is known from the container's label, also after adoption. */
export async function limitCpu(context: Context, id: InstanceId): Promise<void> {
  const known = await executing(context, id, ({ known, execution }) => {
    if (!known.slot) return known;
    writeCpuQuota(execution.cgroup.cpu, known.slot.cpus);
    return known;
  });
  if (!known.slot) throw wrongState(id, 'without a slot label', 'one of ours');
}
