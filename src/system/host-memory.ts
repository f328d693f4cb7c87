/** The host's memory as Linux reports it. */
import { readFile } from 'node:fs/promises';
import type { HostMemory, HostMemoryView } from '../ports/host-memory.ts';

/** Swap with less room than this is as good as none, in bytes. */
const LEAST_SWAP_BYTES = 64 * 1024 * 1024;

/** What a `/proc/meminfo` says; without `MemAvailable` nothing is known, which counts as plenty. */
export function parseMeminfo(text: string): HostMemoryView {
  const bytes = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  return {
    availableBytes: bytes('MemAvailable') ?? Number.POSITIVE_INFINITY,
    hasSwap: (bytes('SwapFree') ?? 0) >= LEAST_SWAP_BYTES,
  };
}

export const systemHostMemory: HostMemory = {
  observe: async () => parseMeminfo(await readFile('/proc/meminfo', 'utf8')),
};
