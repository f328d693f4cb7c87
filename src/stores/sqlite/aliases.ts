/** Aliases on SQLite. */
import type { Kysely } from 'kysely';
import type { Alias } from '../../core/model.ts';
import type { AliasStore } from '../../ports/alias-store.ts';
import type { AliasRow, Tables } from './schema.ts';

/** `open` gives the database as long as the store is open, and throws SHUTTING_DOWN afterwards. */
export function sqliteAliases(open: () => Kysely<Tables>): AliasStore {
  return {
    async aliases() {
      const rows = await open()
        .selectFrom('aliases')
        .selectAll()
        .orderBy('hostname')
        .orderBy('path')
        .execute();
      return rows.map(aliasFromRow);
    },
    async putAlias(alias) {
      const row = aliasToRow(alias);
      await open()
        .insertInto('aliases')
        .values(row)
        .onConflict((conflict) => conflict.columns(['hostname', 'path']).doUpdateSet(row))
        .execute();
    },
    async deleteAlias(hostname, path) {
      const { numDeletedRows } = await open()
        .deleteFrom('aliases')
        .where('hostname', '=', hostname)
        .where('path', '=', path)
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },
  };
}

function aliasToRow({ hostname, path, target, team, createdAt, createdBy }: Alias): AliasRow {
  const place = { hostname, path, team, created_at: createdAt, created_by: createdBy };
  return target.kind === 'environment'
    ? { ...place, project: target.project, environment: target.environment, deployment_id: null }
    : { ...place, project: null, environment: null, deployment_id: target.deploymentId };
}

function aliasFromRow(row: AliasRow): Alias {
  const { hostname, path, project, environment, deployment_id: deploymentId, team } = row;
  const target: Alias['target'] =
    project !== null && environment !== null
      ? { kind: 'environment', project, environment }
      : { kind: 'deployment', deploymentId: deploymentId ?? '' };
  return { hostname, path, target, team, createdAt: row.created_at, createdBy: row.created_by };
}
