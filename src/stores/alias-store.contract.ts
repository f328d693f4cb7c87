/** The contract of `ports/alias-store.ts` as tests, called by the contract of the store. */
import { describe, expect, it } from 'vitest';
import type { Alias } from '../core/model.ts';
import type { OpenedStore } from './store.contract.ts';

const toEnvironment: Alias = {
  hostname: 'www.example.com',
  path: '/',
  target: { kind: 'environment', project: 'shop', environment: 'preview/cart' },
  team: 'default',
  createdAt: 5.5,
  createdBy: 'ann',
};
const toDeployment: Alias = {
  ...toEnvironment,
  path: '/api',
  target: { kind: 'deployment', deploymentId: 'shop-1a2b3c4d' },
};

export function aliasStoreContract(name: string, fresh: () => Promise<OpenedStore>): void {
  describe(`${name} keeps aliases`, () => {
    it('one for each hostname and path, the latest, over a restart', async () => {
      const { store, reopen } = await fresh();
      expect(await store.aliases()).toStrictEqual([]);
      await store.putAlias(toDeployment);
      await store.putAlias({ ...toDeployment, path: '/', team: 'other' });
      await store.putAlias(toEnvironment);
      await store.putAlias({ ...toEnvironment, hostname: '*.example.com' });
      const expected = [
        { ...toEnvironment, hostname: '*.example.com' },
        toEnvironment,
        toDeployment,
      ];
      expect(await store.aliases()).toStrictEqual(expected);
      if (reopen) expect(await (await reopen()).aliases()).toStrictEqual(expected);
    });

    it('until they are removed', async () => {
      const { store } = await fresh();
      await store.putAlias(toEnvironment);
      expect(await store.deleteAlias(toEnvironment.hostname, '/api')).toBe(false);
      expect(await store.deleteAlias(toEnvironment.hostname, '/')).toBe(true);
      expect(await store.deleteAlias(toEnvironment.hostname, '/')).toBe(false);
      expect(await store.aliases()).toStrictEqual([]);
    });
  });
}
