/** Whether and how large compressed swap in memory (zram) may be set up on a host that was asked for it. */
import type { HostFacts } from './host.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** More is seldom filled, and its bookkeeping costs memory even when it is empty. */
const MOST_BYTES = 8 * GIB;
/** A smaller one holds not even one sleeper. */
export const LEAST_ZRAM_MIB = 16;

export type ZramPlan =
  | { readonly kind: 'possible'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly because: string };

/**
 * | host                   | plan                                                     |
 * |------------------------|----------------------------------------------------------|
 * | not root               | refused                                                  |
 * | any swap there already | refused: it is the operator's, and sleepers use it as is |
 * | else                   | as asked for, or half of the memory, at most 8 GiB       |
 *
 * Half: pages shrink to about a third, so that a full device takes a sixth of the memory.
 */
export function planZram(
  facts: Pick<HostFacts, 'isRoot' | 'memoryBytes' | 'swap'>,
  askedBytes?: number,
): ZramPlan {
  if (!facts.isRoot) {
    return { kind: 'refused', because: 'Only root may add swap: run it with sudo.' };
  }
  if (facts.swap.bytes > 0) {
    const mebibytes = Math.round(facts.swap.bytes / MIB);
    const what = facts.swap.isZram ? 'zram' : 'swap';
    const because = `There are ${mebibytes} MiB of ${what} already, and sleeping instances use them.`;
    return { kind: 'refused', because };
  }
  if (askedBytes !== undefined && askedBytes > facts.memoryBytes) {
    const because = `The host has ${Math.round(facts.memoryBytes / MIB)} MiB of memory: ask for no more than that.`;
    return { kind: 'refused', because };
  }
  const half = Math.floor(facts.memoryBytes / 2 / MIB) * MIB;
  return { kind: 'possible', bytes: askedBytes ?? Math.min(MOST_BYTES, half) };
}
