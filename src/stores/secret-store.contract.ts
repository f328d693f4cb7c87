/** The contract of `ports/secret-store.ts` as tests, called by the contract of all stores. */
import { describe, expect, it } from 'vitest';
import type { SealedSecret } from '../ports/secret-store.ts';
import type { Store } from '../ports/store.ts';

function aSecret(changes: Partial<SealedSecret> = {}): SealedSecret {
  return {
    team: 'default',
    name: 'db-url',
    version: 1,
    sealed: 'c2VhbGVk',
    wrappedKey: 'd3JhcHBlZA==',
    masterKeyId: 'a1',
    createdAt: 1_795_252_808_349.7,
    createdBy: 'local',
    ...changes,
  };
}

interface Fresh {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
}

/** `fresh` gives an empty store for one test. */
export function secretStoreContract(name: string, fresh: () => Promise<Fresh>): void {
  describe(`${name} keeps secrets`, () => {
    it('and gives back what was sealed, and lists them without it', async () => {
      const { store } = await fresh();
      const secret = aSecret();
      expect(await store.insertSecret(secret)).toBe(true);
      expect(await store.sealedSecret(secret)).toStrictEqual(secret);
      const { sealed: _, wrappedKey: __, masterKeyId: ___, ...listed } = secret;
      expect(await store.secretVersions()).toStrictEqual([listed]);
    });

    it('and gives a version once only', async () => {
      const { store } = await fresh();
      await store.insertSecret(aSecret());
      expect(await store.insertSecret(aSecret({ sealed: 'other' }))).toBe(false);
      expect((await store.sealedSecret(aSecret()))?.sealed).toBe('c2VhbGVk');
    });

    it('and tells the teams apart, each in order of name and version', async () => {
      const { store } = await fresh();
      for (const change of [
        { name: 'b', version: 2 },
        { team: 'other', name: 'a' },
        { name: 'b', version: 10 },
        { name: 'a' },
      ]) {
        await store.insertSecret(aSecret(change));
      }
      const keys = (await store.secretVersions('default')).map((one) => [one.name, one.version]);
      expect(keys).toStrictEqual([
        ['a', 1],
        ['b', 2],
        ['b', 10],
      ]);
      expect(await store.secretVersions()).toHaveLength(4);
      expect(await store.latestSecretVersion('default', 'b')).toBe(10);
      expect(await store.latestSecretVersion('other', 'b')).toBe(0);
    });

    it('and erases the values of a name, but never gives its numbers again', async () => {
      const { store } = await fresh();
      await store.insertSecret(aSecret());
      await store.insertSecret(aSecret({ version: 2 }));
      await store.deleteSecret('default', 'db-url');
      expect(await store.sealedSecret(aSecret())).toBeUndefined();
      expect(await store.secretVersions()).toStrictEqual([]);
      expect(await store.wrappedKeys()).toStrictEqual([]);
      expect(await store.latestSecretVersion('default', 'db-url')).toBe(2);
      expect(await store.insertSecret(aSecret({ version: 1 }))).toBe(false);
      expect(await store.insertSecret(aSecret({ version: 3 }))).toBe(true);
    });

    it('and changes the wraps of all keys at once, not of what was removed', async () => {
      const { store } = await fresh();
      await store.insertSecret(aSecret());
      await store.insertSecret(aSecret({ name: 'gone' }));
      const wrapped = await store.wrappedKeys();
      expect(wrapped.map((key) => key.name)).toStrictEqual(['db-url', 'gone']);
      await store.deleteSecret('default', 'gone');
      await store.rewrapKeys(
        wrapped.map((key) => ({ ...key, wrappedKey: 'bmV3', masterKeyId: 'b2' })),
      );
      expect(await store.wrappedKeys()).toStrictEqual([
        { team: 'default', name: 'db-url', version: 1, wrappedKey: 'bmV3', masterKeyId: 'b2' },
      ]);
      expect(await store.sealedSecret(aSecret())).toStrictEqual(
        aSecret({ wrappedKey: 'bmV3', masterKeyId: 'b2' }),
      );
      expect(await store.sealedSecret(aSecret({ name: 'gone' }))).toBeUndefined();
    });

    it('and has all of it when it is opened again', async () => {
      const { store, reopen } = await fresh();
      if (!reopen) return;
      await store.insertSecret(aSecret());
      await store.close();
      const again = await reopen();
      expect(await again.sealedSecret(aSecret())).toStrictEqual(aSecret());
    });
  });
}
