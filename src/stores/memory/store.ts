/** A store that keeps nothing beyond its own life: for tests, the simulator and trying things out. */
import { BerthError } from '../../core/errors.ts';
import type { AuditEntry, Deployment, DeploymentId } from '../../core/model.ts';
import type { AccessStore } from '../../ports/access-store.ts';
import type { AliasStore } from '../../ports/alias-store.ts';
import type { AuditFilter } from '../../ports/audit.ts';
import type { BusyStore } from '../../ports/busy-store.ts';
import type { CleanupStore } from '../../ports/cleanup-store.ts';
import type { ReleaseStore } from '../../ports/release-store.ts';
import type { SecretStore } from '../../ports/secret-store.ts';
import type { DeploymentFilter, LedgerEntry, Store } from '../../ports/store.ts';

import { memoryAccess } from './access.ts';
import { memoryAliases } from './aliases.ts';
import { MemoryAudit } from './audit.ts';
import { memoryBusy } from './busy.ts';
import { memoryCleanup, type MemoryCleanup } from './cleanup.ts';
import { memoryReleases } from './releases.ts';
import { memorySecrets } from './secrets.ts';

/** The areas that the constructor adds, each from a file of its own. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor assigns all of them
export interface MemoryStore
  extends AccessStore,
    AliasStore,
    BusyStore,
    CleanupStore,
    ReleaseStore,
    SecretStore {}

/** Same contract as every store, durability excepted: nothing survives `close`. */
export class MemoryStore implements Store {
  readonly #deployments = new Map<DeploymentId, Deployment>();
  readonly #ledger = new Map<string, LedgerEntry>();
  readonly #settings = new Map<string, string>();
  readonly #audit = new MemoryAudit();
  readonly #cleanup: MemoryCleanup;
  #closed = false;

  constructor() {
    const needOpen = () => this.#needOpen();
    this.#cleanup = memoryCleanup(needOpen, (id) => this.#deployments.has(id));
    Object.assign(
      this,
      memoryAccess(needOpen),
      memoryAliases(needOpen),
      memoryBusy(needOpen),
      this.#cleanup,
      memoryReleases(needOpen),
      memorySecrets(needOpen),
    );
  }

  async insertDeployment(deployment: Deployment): Promise<boolean> {
    this.#needOpen();
    if (this.#deployments.has(deployment.id)) return false;
    this.#deployments.set(deployment.id, structuredClone(deployment));
    return true;
  }

  async deployment(id: DeploymentId): Promise<Deployment | undefined> {
    this.#needOpen();
    return this.#deployments.get(id);
  }

  async deployments({ project, states }: DeploymentFilter = {}): Promise<readonly Deployment[]> {
    this.#needOpen();
    return [...this.#deployments.values()]
      .filter((one) => project === undefined || one.project === project)
      .filter(({ state }) => states === undefined || states.includes(state))
      .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  async *deploymentPages(filter: DeploymentFilter = {}): AsyncGenerator<readonly Deployment[]> {
    yield await this.deployments(filter);
  }

  async updateDeployment(deployment: Deployment): Promise<boolean> {
    this.#needOpen();
    if (!this.#deployments.has(deployment.id)) return false;
    this.#deployments.set(deployment.id, structuredClone(deployment));
    return true;
  }

  async deleteDeployment(id: DeploymentId): Promise<void> {
    this.#needOpen();
    this.#deployments.delete(id);
    this.#cleanup.forgetRequests(id);
  }

  async record(entry: LedgerEntry): Promise<void> {
    this.#needOpen();
    const key = `${entry.kind} ${entry.id}`;
    const standing = this.#ledger.get(key);
    if (!standing) this.#ledger.set(key, { ...entry });
    else if (entry.usedAt !== undefined) {
      const { deploymentId: _, ...rest } = standing;
      const { deploymentId, usedAt } = entry;
      this.#ledger.set(key, {
        ...rest,
        ...(deploymentId !== undefined && { deploymentId }),
        usedAt,
      });
    }
  }

  async forget(kind: LedgerEntry['kind'], id: string): Promise<void> {
    this.#needOpen();
    this.#ledger.delete(`${kind} ${id}`);
  }

  async ledger(kind?: LedgerEntry['kind']): Promise<readonly LedgerEntry[]> {
    this.#needOpen();
    return [...this.#ledger.values()]
      .filter((entry) => kind === undefined || entry.kind === kind)
      .toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  async setting(name: string): Promise<string | undefined> {
    this.#needOpen();
    return this.#settings.get(name);
  }

  async settingOr(name: string, value: string): Promise<string> {
    this.#needOpen();
    const standing = this.#settings.get(name) ?? value;
    this.#settings.set(name, standing);
    return standing;
  }

  async appendAudit(entry: AuditEntry): Promise<void> {
    this.#needOpen();
    this.#audit.append(entry);
  }

  async audit(filter: AuditFilter = {}): Promise<readonly AuditEntry[]> {
    this.#needOpen();
    return this.#audit.read(filter);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #needOpen(): void {
    if (this.#closed) throw new BerthError('SHUTTING_DOWN', { detail: 'The store is closed.' });
  }
}
