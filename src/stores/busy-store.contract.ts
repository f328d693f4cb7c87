/** The contract of `ports/busy-store.ts` as tests, called by the contract of the store. */
import { describe, expect, it } from 'vitest';
import type { OpenedStore } from './store.contract.ts';

export function busyStoreContract(name: string, fresh: () => Promise<OpenedStore>): void {
  describe(`${name} keeps busy leases`, () => {
    it('of which the latest word counts, also a shorter one, until they are forgotten', async () => {
      const { store } = await fresh();
      expect(await store.busyUntil()).toStrictEqual(new Map());
      await store.recordBusy('a-1.x', 10.5);
      await store.recordBusy("b'-1.y", 20);
      await store.recordBusy('a-1.x', 5);
      expect(await store.busyUntil()).toStrictEqual(
        new Map([
          ['a-1.x', 5],
          ["b'-1.y", 20],
        ]),
      );
      await store.forgetBusy('a-1.x');
      await store.forgetBusy('a-1.x');
      expect(await store.busyUntil()).toStrictEqual(new Map([["b'-1.y", 20]]));
    });
  });
}
