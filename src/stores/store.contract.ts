/** The contract of `ports/store.ts` as tests: every store runs this suite. */
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDeployment } from '../core/fixtures/deployment.ts';
import type { Deployment } from '../core/model.ts';
import type { LedgerEntry, Store } from '../ports/store.ts';
import { accessContract } from './access.contract.ts';
import { aliasStoreContract } from './alias-store.contract.ts';
import { auditContract } from './audit.contract.ts';
import { busyStoreContract } from './busy-store.contract.ts';
import { cleanupStoreContract } from './cleanup-store.contract.ts';
import { deploymentArbitrary } from './deployment.arbitrary.ts';
import { releaseStoreContract } from './release-store.contract.ts';
import { secretStoreContract } from './secret-store.contract.ts';

/** A store of its own for one test. */
export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens the same data again; absent when the store keeps nothing. */
  readonly reopen?: () => Promise<Store>;
  /** Closes what is open and removes every trace. */
  readonly dispose: () => Promise<void>;
}

/** Runs the suite against the stores that `open` gives, a fresh and empty one for each test. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  const fresh = async () => {
    const opened = await open();
    onTestFinished(opened.dispose);
    return opened;
  };

  aliasStoreContract(name, fresh);
  releaseStoreContract(name, fresh);
  secretStoreContract(name, fresh);

  describe(`${name} keeps deployments`, () => {
    it('and gives back what was written, whatever the values', async () => {
      const { store } = await fresh();
      await fc.assert(
        fc.asyncProperty(deploymentArbitrary, deploymentArbitrary, async (first, second) => {
          await store.deleteDeployment(first.id);
          expect(await store.insertDeployment(first)).toBe(true);
          expect(await store.deployment(first.id)).toStrictEqual(first);
          const changed = { ...second, id: first.id };
          expect(await store.updateDeployment(changed)).toBe(true);
          expect(await store.deployment(first.id)).toStrictEqual(changed);
          expect((await store.deployments()).find(({ id }) => id === first.id)).toStrictEqual(
            changed,
          );
        }),
        { numRuns: 60 },
      );
    });

    it('and keeps half a surrogate pair in a variable', async () => {
      const { store } = await fresh();
      const { configuration } = aDeployment();
      const odd = aDeployment({ configuration: { ...configuration, env: { ODD: 'a\ud800b' } } });
      await store.insertDeployment(odd);
      expect(await store.deployment(odd.id)).toStrictEqual(odd);
    });

    it('and knows nothing of an id that was never written', async () => {
      const { store } = await fresh();
      expect(await store.deployment('nobody')).toBeUndefined();
      expect(await store.deployments()).toStrictEqual([]);
    });

    it('and refuses a second insert of an id without touching the first', async () => {
      const { store } = await fresh();
      const first = aDeployment({ createdBy: 'first' });
      expect(await store.insertDeployment(first)).toBe(true);
      expect(await store.insertDeployment(aDeployment({ createdBy: 'second' }))).toBe(false);
      expect(await store.deployment(first.id)).toStrictEqual(first);
    });

    it('and lets exactly one of many simultaneous inserts of an id win', async () => {
      const { store } = await fresh();
      const tries = Array.from({ length: 20 }, (_, index) =>
        aDeployment({ createdBy: `${index}` }),
      );
      const won = await Promise.all(tries.map((one) => store.insertDeployment(one)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.deployment('hello-1a2b3c4d')).toStrictEqual(tries[won.indexOf(true)]);
    });

    it('and replaces the whole row on update, so that a key left out is gone', async () => {
      const { store } = await fresh();
      const failure = { code: 'BUILD_FAILED', detail: 'exit code 1' };
      await store.insertDeployment(aDeployment({ state: 'failed', failure, readyAt: 5 }));
      expect(await store.updateDeployment(aDeployment({ state: 'building' }))).toBe(true);
      expect(await store.deployment('hello-1a2b3c4d')).toStrictEqual(aDeployment());
    });

    it('and writes nothing when an unknown one is updated', async () => {
      const { store } = await fresh();
      expect(await store.updateDeployment(aDeployment())).toBe(false);
      expect(await store.deployments()).toStrictEqual([]);
    });

    it('and deletes one, also twice, and leaves the others', async () => {
      const { store } = await fresh();
      const other = aDeployment({ id: 'other-1' });
      await store.insertDeployment(aDeployment());
      await store.insertDeployment(other);
      await store.deleteDeployment('hello-1a2b3c4d');
      await store.deleteDeployment('hello-1a2b3c4d');
      expect(await store.deployments()).toStrictEqual([other]);
      expect(await store.insertDeployment(aDeployment())).toBe(true);
    });

    it('and lists them newest first, those of the same moment by id, of one project or of all', async () => {
      const { store } = await fresh();
      const made = [
        aDeployment({ id: 'b-1', project: 'b', createdAt: 2 }),
        aDeployment({ id: 'a-1', project: 'a', createdAt: 1 }),
        aDeployment({ id: 'a-3', project: 'a', createdAt: 3 }),
        aDeployment({ id: 'b-2', project: 'b', createdAt: 2 }),
      ];
      for (const one of made) await store.insertDeployment(one);
      const ids = async (filter?: { project: string }) =>
        (await store.deployments(filter)).map(({ id }) => id);
      expect(await ids()).toStrictEqual(['a-3', 'b-2', 'b-1', 'a-1']);
      expect(await ids({ project: 'a' })).toStrictEqual(['a-3', 'a-1']);
      expect(await ids({ project: 'c' })).toStrictEqual([]);
    });

    it('and lists those in some states only, of one project or of all', async () => {
      const { store } = await fresh();
      const made = [
        aDeployment({ id: 'b-1', project: 'b', state: 'building', createdAt: 3 }),
        aDeployment({ id: 'a-1', project: 'a', state: 'verifying', createdAt: 2 }),
        aDeployment({ id: 'a-2', project: 'a', state: 'ready', createdAt: 1 }),
      ];
      for (const one of made) await store.insertDeployment(one);
      const states = ['building', 'verifying'] as const;
      expect(await store.deployments({ states })).toStrictEqual([made[0], made[1]]);
      expect(await store.deployments({ states, project: 'a' })).toStrictEqual([made[1]]);
      expect(await store.deployments({ states: ['failed'] })).toStrictEqual([]);
    });

    it('and lists every one of several hundred once, many of the same moment', async () => {
      const { store } = await fresh();
      const ids = Array.from(
        { length: 450 },
        (_, index) => `many-${String(index).padStart(3, '0')}`,
      );
      await Promise.all(
        ids.map((id, index) => store.insertDeployment(aDeployment({ id, createdAt: index % 3 }))),
      );
      const listed = await store.deployments();
      expect(listed.map(({ id }) => id).toSorted()).toStrictEqual(ids);
      const times = listed.map(({ createdAt }) => createdAt);
      expect(times).toStrictEqual(times.toSorted((a, b) => b - a));
      const paged: Deployment[] = [];
      for await (const page of store.deploymentPages()) paged.push(...page);
      expect(paged).toStrictEqual(listed);
    });

    it('and is not changed by what the caller does to the object afterwards', async () => {
      const { store } = await fresh();
      const env: Record<string, string> = { A: '1' };
      const mine = aDeployment({ configuration: { ...aDeployment().configuration, env } });
      await store.insertDeployment(mine);
      env['A'] = '2';
      expect((await store.deployment(mine.id))?.configuration.env).toStrictEqual({ A: '1' });
    });
  });

  describe(`${name} keeps the ledger`, () => {
    const container: LedgerEntry = {
      kind: 'container',
      id: 'x',
      deploymentId: 'd-1',
      createdAt: 2.5,
    };
    const network: LedgerEntry = { kind: 'network', id: 'x', createdAt: 1 };

    it('with entries of different kinds under the same id, oldest first', async () => {
      const { store } = await fresh();
      await store.record(container);
      await store.record(network);
      expect(await store.ledger()).toStrictEqual([network, container]);
      expect(await store.ledger('network')).toStrictEqual([network]);
      expect(await store.ledger('image')).toStrictEqual([]);
    });

    it('and records an entry once: the first stands', async () => {
      const { store } = await fresh();
      await store.record(container);
      await store.record({ ...container, deploymentId: 'd-2', createdAt: 9 });
      expect(await store.ledger()).toStrictEqual([container]);
    });

    it('and forgets one entry, also twice, and leaves its namesake', async () => {
      const { store } = await fresh();
      await store.record(container);
      await store.record(network);
      await store.forget('container', 'x');
      await store.forget('container', 'x');
      expect(await store.ledger()).toStrictEqual([network]);
    });
  });

  describe(`${name} keeps settings`, () => {
    it('written once: the first value stands', async () => {
      const { store } = await fresh();
      expect(await store.setting('key')).toBeUndefined();
      expect(await store.settingOr('key', "it's\n🛥")).toBe("it's\n🛥");
      expect(await store.settingOr('key', 'second')).toBe("it's\n🛥");
      expect(await store.setting('key')).toBe("it's\n🛥");
    });

    it('of which everyone who asks at once gets the same', async () => {
      const { store } = await fresh();
      const asked = Array.from({ length: 20 }, (_, index) => store.settingOr('token', `${index}`));
      expect(new Set(await Promise.all(asked)).size).toBe(1);
    });
  });

  accessContract(name, fresh);
  auditContract(name, fresh);
  busyStoreContract(name, fresh);
  cleanupStoreContract(name, fresh);

  describe(`${name} closes`, () => {
    it('once or twice, and then refuses with SHUTTING_DOWN', async () => {
      const { store } = await fresh();
      await store.insertDeployment(aDeployment());
      await store.close();
      await store.close();
      await expect(store.deployments()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
      await expect(store.insertDeployment(aDeployment())).rejects.toMatchObject({
        code: 'SHUTTING_DOWN',
      });
    });

    it('and has everything again when it is opened again, if it keeps data at all', async () => {
      const { store, reopen } = await fresh();
      if (!reopen) return;
      const entry: LedgerEntry = { kind: 'image', id: 'sha256:1', createdAt: 1 };
      await store.insertDeployment(aDeployment());
      await store.record(entry);
      await store.settingOr('name', 'value');
      const again = await reopen();
      expect(await again.deployments()).toStrictEqual([aDeployment()]);
      expect(await again.ledger()).toStrictEqual([entry]);
      expect(await again.setting('name')).toBe('value');
    });
  });
}
