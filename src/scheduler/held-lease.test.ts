/** A lease that has ended leaves nothing behind that only a collection of the whole heap would find. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { HeldLease } from './held-lease.ts';
import { Instance } from './instance.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

const IN_FLIGHT = 16;
const LEASES = 20_000;
/** What a request of a lease holds, more or less. */
const HELD_BYTES = 4_096;

function heldBytes(): number {
  return getHeapSpaceStatistics().reduce((sum, space) => sum + space.space_used_size, 0);
}

test('a lease that has ended is garbage at once, however many came before it', () => {
  const instance = new Instance('hello-abcd1234.abcdef');
  const at = { host: '127.0.0.1', port: 1 };
  const how = { start: 'warm', waitMs: 0, times: { bootMs: 0, portMs: 0 } } as const;
  const held: HeldLease[] = [];
  const serve = (count: number) => {
    for (let index = 0; index < count; index += 1) {
      const request = Array.from({ length: HELD_BYTES / 8 }, () => index);
      held.push(new HeldLease(instance, at, how, () => request.length));
      if (held.length > IN_FLIGHT) held.shift()?.end('done');
      if (index % 500 === 0) collect({ type: 'minor' });
    }
  };
  serve(1_000);
  // What lives as long as this is old from then on, and is looked at no more.
  for (let times = 0; times < 3; times += 1) collect({ type: 'minor' });
  const before = heldBytes();
  serve(LEASES);
  collect({ type: 'minor' });
  expect(heldBytes() - before).toBeLessThan(LEASES * HELD_BYTES * 0.01);
  for (const lease of held) lease.end('done');
  expect(instance.leases.size).toBe(0);
});
