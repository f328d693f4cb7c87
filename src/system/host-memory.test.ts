/** Reading the host's memory. */
import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseMeminfo, systemHostMemory } from './host-memory.ts';

describe('the memory of the host', () => {
  it('is what can be had without swapping, and whether pages have somewhere to go', () => {
    const text =
      'MemTotal:  100 kB\nMemAvailable:     64 kB\nSwapTotal: 1 kB\nSwapFree:  262144 kB\n';
    expect(parseMeminfo(text)).toEqual({ availableBytes: 65_536, hasSwap: true });
    expect(parseMeminfo('SwapFree: 10 kB\n')).toEqual({ availableBytes: Infinity, hasSwap: false });
  });

  it('is read from this very machine', async () => {
    const { availableBytes } = await systemHostMemory.observe();
    expect(availableBytes).toBeGreaterThan(0);
    expect(availableBytes).toBeLessThanOrEqual(totalmem());
  });
});
