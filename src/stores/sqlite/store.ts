/** The store on SQLite: each method one statement, so that each is whole or not at all. */
import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { BerthError } from '../../core/errors.ts';
import type { AuditEntry, Deployment, DeploymentId } from '../../core/model.ts';
import type { AccessStore } from '../../ports/access-store.ts';
import type { AliasStore } from '../../ports/alias-store.ts';
import type { AuditFilter } from '../../ports/audit.ts';
import type { BusyStore } from '../../ports/busy-store.ts';
import type { CleanupStore } from '../../ports/cleanup-store.ts';
import type { ReleaseStore } from '../../ports/release-store.ts';
import type { SecretStore } from '../../ports/secret-store.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { DeploymentFilter, LedgerEntry, Store } from '../../ports/store.ts';
import { sqliteAccess } from './access.ts';
import { sqliteAliases } from './aliases.ts';
import { appendAudit, readAudit } from './audit.ts';
import { sqliteBusy } from './busy.ts';
import { sqliteCleanup } from './cleanup.ts';
import { copyTo } from './copy.ts';
import { LATEST_FORM } from './migrations.ts';
import { deploymentFromRow, deploymentToRow, entryFromRow, entryToRow } from './rows.ts';
import { sqliteReleases } from './releases.ts';
import type { DeploymentRow, Tables } from './schema.ts';
import { sqliteSecrets } from './secrets.ts';

/** Rows taken over and parsed in one go: 100 hold the thread for well under a millisecond. */
const PAGE_ROWS = 100;

/** The areas that the constructor adds, each from a file of its own. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor assigns all of them
export interface SqliteStore
  extends AccessStore,
    AliasStore,
    BusyStore,
    CleanupStore,
    ReleaseStore,
    SecretStore {}

export class SqliteStore implements Store, SnapshotStore {
  readonly form = LATEST_FORM;
  readonly #database: Kysely<Tables>;
  #closing: Promise<void> | undefined;

  /** `database` is migrated; the store closes it. */
  constructor(database: Kysely<Tables>) {
    this.#database = database;
    const open = () => this.#open();
    Object.assign(
      this,
      sqliteAccess(open),
      sqliteAliases(open),
      sqliteBusy(open),
      sqliteCleanup(open),
      sqliteReleases(open),
      sqliteSecrets(open),
    );
  }

  async insertDeployment(deployment: Deployment): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#open()
      .insertInto('deployments')
      .values(deploymentToRow(deployment))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }

  async deployment(id: DeploymentId): Promise<Deployment | undefined> {
    const row = await this.#open()
      .selectFrom('deployments')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    return row && deploymentFromRow(row);
  }

  async deployments(filter: DeploymentFilter = {}): Promise<readonly Deployment[]> {
    const all: Deployment[] = [];
    for await (const page of this.deploymentPages(filter)) all.push(...page);
    return all;
  }

  async *deploymentPages(filter: DeploymentFilter = {}): AsyncGenerator<readonly Deployment[]> {
    let last: Deployment | undefined;
    for (;;) {
      const page = (await this.#page(filter, last)).map(deploymentFromRow);
      if (page.length > 0) yield page;
      if (page.length < PAGE_ROWS) return;
      last = page.at(-1);
      // Answers of the worker overtake sockets and timers as long as one is there: let those have their turn.
      await setImmediate();
    }
  }

  async updateDeployment(deployment: Deployment): Promise<boolean> {
    const { id, ...columns } = deploymentToRow(deployment);
    const { numUpdatedRows } = await this.#open()
      .updateTable('deployments')
      .set(columns)
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  async deleteDeployment(id: DeploymentId): Promise<void> {
    await this.#open().deleteFrom('deployments').where('id', '=', id).execute();
  }

  async record(entry: LedgerEntry): Promise<void> {
    await this.#open()
      .insertInto('ledger')
      .values(entryToRow(entry))
      .onConflict((conflict) =>
        conflict
          .columns(['kind', 'id'])
          .doUpdateSet((of) => ({
            deployment_id: of.ref('excluded.deployment_id'),
            used_at: of.ref('excluded.used_at'),
          }))
          .where('excluded.used_at', 'is not', null),
      )
      .execute();
  }

  async forget(kind: LedgerEntry['kind'], id: string): Promise<void> {
    await this.#open().deleteFrom('ledger').where('kind', '=', kind).where('id', '=', id).execute();
  }

  async ledger(kind?: LedgerEntry['kind']): Promise<readonly LedgerEntry[]> {
    let query = this.#open().selectFrom('ledger').selectAll().orderBy('created_at').orderBy('id');
    if (kind !== undefined) query = query.where('kind', '=', kind);
    return (await query.execute()).map(entryFromRow);
  }

  async setting(name: string): Promise<string | undefined> {
    const row = await this.#open()
      .selectFrom('settings')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.value;
  }

  async settingOr(name: string, value: string): Promise<string> {
    const standing = await this.setting(name);
    if (standing !== undefined) return standing;
    // An update that changes nothing makes `returning` give the value of whoever came first.
    const row = await this.#open()
      .insertInto('settings')
      .values({ name, value })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet((of) => ({ value: of.ref('settings.value') })),
      )
      .returning('value')
      .executeTakeFirstOrThrow();
    return row.value;
  }

  async appendAudit(entry: AuditEntry): Promise<void> {
    await appendAudit(this.#open(), entry);
  }

  async audit(filter: AuditFilter = {}): Promise<readonly AuditEntry[]> {
    return readAudit(this.#open(), filter);
  }

  async snapshot(file: string): Promise<void> {
    await copyTo(this.#open(), file);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** Newest first, from behind `last` on: a page never repeats or skips a row, however much is written meanwhile. */
  #page(
    { project, states }: DeploymentFilter,
    last: Deployment | undefined,
  ): Promise<readonly DeploymentRow[]> {
    let query = this.#open()
      .selectFrom('deployments')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(PAGE_ROWS);
    if (project !== undefined) query = query.where('project', '=', project);
    if (states !== undefined) query = query.where('state', 'in', states);
    if (last) {
      query = query.where((of) =>
        of(of.refTuple('created_at', 'id'), '<', of.tuple(last.createdAt, last.id)),
      );
    }
    return query.execute();
  }

  async #close(): Promise<void> {
    // The connection is lent first come, first served: to have it means that everything asked before was answered.
    await this.#database.connection().execute(async () => {});
    await this.#database.destroy();
  }

  #open(): Kysely<Tables> {
    if (this.#closing) throw new BerthError('SHUTTING_DOWN', { detail: 'The store is closed.' });
    return this.#database;
  }
}
