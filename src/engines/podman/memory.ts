/** How much memory instances hold now, from their cgroups. */
import type { InstanceId } from '../../core/model.ts';
import { readMemory } from './cgroup.ts';
import type { Context } from './context.ts';

/** Bytes; those without a process are not in the result. */
export async function memory(
  context: Context,
  ids: readonly InstanceId[],
): Promise<ReadonlyMap<InstanceId, number>> {
  const entries = await Promise.all(
    ids.map(async (id) => {
      const execution = (await context.instances.find(id))?.execution;
      const bytes = execution ? await readMemory(execution.cgroup.memory) : undefined;
      return bytes === undefined ? undefined : ([id, bytes] as const);
    }),
  );
  return new Map(entries.filter((entry) => entry !== undefined));
}
