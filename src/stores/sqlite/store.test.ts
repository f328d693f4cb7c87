/** The SQLite store: the contract of all stores, and what only a file can do wrong. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../ports/store.ts';
import { storeContract } from '../store.contract.ts';
import { openSqliteStore } from './open.ts';

storeContract('The SQLite store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-store-'));
  const file = join(folder, 'berth.db');
  const opened: Store[] = [];
  const open = async () => {
    const store = await openSqliteStore(file);
    opened.push(store);
    return store;
  };
  const store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      return open();
    },
    dispose: async () => {
      for (const one of opened) await one.close();
      await rm(folder, { recursive: true });
    },
  };
});
