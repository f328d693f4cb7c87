/** Aliases in the store. Contract proved by `stores/alias-store.contract.ts`. */
import type { Alias } from '../core/model.ts';

/** Part of every store. */
export interface AliasStore {
  /** By hostname, then path. */
  aliases(): Promise<readonly Alias[]>;
  /** Replaces the one of the same hostname and path. */
  putAlias(alias: Alias): Promise<void>;
  /** False when it is not there. */
  deleteAlias(hostname: string, path: string): Promise<boolean>;
}
