/** The contract of `ports/cleanup-store.ts` as tests, called by the contract of the store. */
import { describe, expect, it } from 'vitest';
import { aDeployment } from '../core/fixtures/deployment.ts';
import type { OpenedStore } from './store.contract.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export function cleanupStoreContract(name: string, fresh: () => Promise<OpenedStore>): void {
  describe(`${name} remembers what clean-up asks for`, () => {
    it('when deployments were last asked, never an earlier time, and nothing of unknown ones', async () => {
      const { store } = await fresh();
      await store.insertDeployment(aDeployment({ id: 'a-1' }));
      await store.insertDeployment(aDeployment({ id: "b'-1" }));
      await store.noteRequests(new Map());
      await store.noteRequests(
        new Map([
          ['a-1', 10.5],
          ["b'-1", 20],
          ['nobody', 30],
        ]),
      );
      await store.noteRequests(new Map([['a-1', 5]]));
      await store.noteRequests(new Map([["b'-1", 25]]));
      expect(await store.lastRequests()).toStrictEqual(
        new Map([
          ['a-1', 10.5],
          ["b'-1", 25],
        ]),
      );
    });

    it('requests for as long as their deployment is there, also when its row is written anew', async () => {
      const { store } = await fresh();
      await store.insertDeployment(aDeployment({ id: 'a-1' }));
      await store.noteRequests(new Map([['a-1', 10]]));
      await store.updateDeployment(aDeployment({ id: 'a-1', state: 'ready' }));
      expect((await store.lastRequests()).get('a-1')).toBe(10);
      await store.deleteDeployment('a-1');
      await store.insertDeployment(aDeployment({ id: 'a-1' }));
      expect(await store.lastRequests()).toStrictEqual(new Map());
    });

    it('one sample of the disk for each day, oldest first, and drops old ones', async () => {
      const { store } = await fresh();
      await store.noteDiskSample({ at: 2 * DAY_MS, usedBytes: 20 }, 0);
      await store.noteDiskSample({ at: 1 * DAY_MS, usedBytes: 10 }, 0);
      await store.noteDiskSample({ at: 2 * DAY_MS + 5, usedBytes: 21.5 }, 0);
      expect(await store.diskSamples()).toStrictEqual([
        { at: DAY_MS, usedBytes: 10 },
        { at: 2 * DAY_MS + 5, usedBytes: 21.5 },
      ]);
      await store.noteDiskSample({ at: 3 * DAY_MS, usedBytes: 30 }, 2 * DAY_MS);
      expect((await store.diskSamples()).map(({ usedBytes }) => usedBytes)).toStrictEqual([
        21.5, 30,
      ]);
    });

    it('the last build that used a layer, and for all else the first entry', async () => {
      const { store } = await fresh();
      const layer = { kind: 'layer', id: 'sha256:1', createdAt: 1 } as const;
      await store.record({ ...layer, deploymentId: 'a-1', usedAt: 1 });
      await store.record({ ...layer, deploymentId: 'a-2', createdAt: 7, usedAt: 7 });
      const network = { kind: 'network', id: 'berth-x-a', project: 'a', createdAt: 2 } as const;
      await store.record(network);
      await store.record({ ...network, createdAt: 9 });
      expect(await store.ledger()).toStrictEqual([
        { ...layer, deploymentId: 'a-2', usedAt: 7 },
        network,
      ]);
    });
  });
}
