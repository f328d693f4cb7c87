/** How much memory of the host instances hold now, from their cgroups. */
import { readdir, readFile } from 'node:fs/promises';
import type { InstanceId } from '../../core/model.ts';
import { readMemory } from './cgroup.ts';
import type { Context } from './context.ts';

/** Bytes, swapped pages at what they take compressed in memory; those without a process are not in the result. */
export async function memory(
  context: Context,
  ids: readonly InstanceId[],
): Promise<ReadonlyMap<InstanceId, number>> {
  const share = await compressedShare();
  const entries = await Promise.all(
    ids.map(async (id) => {
      const execution = (await context.instances.find(id))?.execution;
      const held = execution ? await readMemory(execution.cgroup.memory) : undefined;
      if (!held) return undefined;
      return [id, held.residentBytes + held.swappedBytes * share] as const;
    }),
  );
  return new Map(entries.filter((entry) => entry !== undefined));
}

/**
 * How much of a swapped page still takes memory: what zram needs for what it was given, over all its devices (`mm_stat`:
 * original size, compressed size, memory used, …). Zero without zram: then pages go to a disk.
 */
async function compressedShare(): Promise<number> {
  let original = 0;
  let used = 0;
  for (const name of await readdir('/sys/block').catch(() => [])) {
    if (!name.startsWith('zram')) continue;
    const text = await readFile(`/sys/block/${name}/mm_stat`, 'latin1').catch(() => '');
    const [originalBytes = 0, , usedBytes = 0] = text.trim().split(/\s+/).map(Number);
    original += originalBytes;
    used += usedBytes;
  }
  return original > 0 ? used / original : 0;
}
