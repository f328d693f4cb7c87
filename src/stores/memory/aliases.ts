/** Aliases of the memory store. */
import type { Alias } from '../../core/model.ts';
import type { AliasStore } from '../../ports/alias-store.ts';

/** `needOpen` throws once the store is closed. */
export function memoryAliases(needOpen: () => void): AliasStore {
  const aliases = new Map<string, Alias>();
  return {
    async aliases() {
      needOpen();
      return [...aliases.values()].toSorted((one, other) =>
        `${one.hostname} ${one.path}` < `${other.hostname} ${other.path}` ? -1 : 1,
      );
    },
    async putAlias(alias) {
      needOpen();
      aliases.set(`${alias.hostname} ${alias.path}`, structuredClone(alias));
    },
    async deleteAlias(hostname, path) {
      needOpen();
      return aliases.delete(`${hostname} ${path}`);
    },
  };
}
