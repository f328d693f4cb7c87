/**
 * What Berth remembers. Contract proved for every store by `stores/store.contract.ts`.
 * Writes are durable when their promise resolves. Reads see every write that resolved before.
 */
import type { Deployment, DeploymentId, LedgerEntry } from '../core/model.ts';
import type { ReleaseStore } from './release-store.ts';
import type { AccessStore } from './access-store.ts';
import type { AliasStore } from './alias-store.ts';
import type { AuditLog } from './audit.ts';
import type { BusyStore } from './busy-store.ts';
import type { CleanupStore } from './cleanup-store.ts';
import type { SecretStore } from './secret-store.ts';

export type { LedgerEntry } from '../core/model.ts';

export interface DeploymentFilter {
  readonly project?: string;
  /** In one of these. */
  readonly states?: readonly Deployment['state'][];
}

export interface Store
  extends AccessStore,
    AliasStore,
    AuditLog,
    BusyStore,
    CleanupStore,
    ReleaseStore,
    SecretStore {
  /** False when the id is taken; then nothing is written. */
  insertDeployment(deployment: Deployment): Promise<boolean>;
  deployment(id: DeploymentId): Promise<Deployment | undefined>;
  /** Newest first. */
  deployments(filter?: DeploymentFilter): Promise<readonly Deployment[]>;
  /** The same a page at a time, so that nobody holds ten thousand of them at once. */
  deploymentPages(filter?: DeploymentFilter): AsyncIterable<readonly Deployment[]>;
  /** Replaces the whole row; false when it is not there. */
  updateDeployment(deployment: Deployment): Promise<boolean>;
  deleteDeployment(id: DeploymentId): Promise<void>;

  /** Idempotent: an entry that is there stays as it is, but for who used a layer last and when. */
  record(entry: LedgerEntry): Promise<void>;
  forget(kind: LedgerEntry['kind'], id: string): Promise<void>;
  ledger(kind?: LedgerEntry['kind']): Promise<readonly LedgerEntry[]>;

  setting(name: string): Promise<string | undefined>;
  /** Writes `value` only if the setting is absent; the value that stands afterwards. */
  settingOr(name: string, value: string): Promise<string>;

  close(): Promise<void>;
}
