/** The memory store under the contract of all stores. */
import { storeContract } from '../store.contract.ts';
import { MemoryStore } from './store.ts';

storeContract('The memory store', async () => {
  const store = new MemoryStore();
  return { store, dispose: () => store.close() };
});
