/** Sealed secrets on SQLite. Each value is a row; a removed one keeps its number and nothing else. */
import type { Kysely } from 'kysely';
import type { SealedSecret, SecretStore } from '../../ports/secret-store.ts';
import type { SecretRow, Tables } from './schema.ts';

/** `open` gives the database as long as the store is open, and throws SHUTTING_DOWN afterwards. */
export function sqliteSecrets(open: () => Kysely<Tables>): SecretStore {
  return {
    async insertSecret(secret) {
      const { numInsertedOrUpdatedRows } = await open()
        .insertInto('secrets')
        .values({
          team: secret.team,
          name: secret.name,
          version: secret.version,
          sealed: secret.sealed,
          wrapped_key: secret.wrappedKey,
          master_key_id: secret.masterKeyId,
          created_at: secret.createdAt,
          created_by: secret.createdBy,
        })
        .onConflict((conflict) => conflict.columns(['team', 'name', 'version']).doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    },

    async latestSecretVersion(team, name) {
      const row = await open()
        .selectFrom('secrets')
        .select((of) => of.fn.max('version').as('version'))
        .where('team', '=', team)
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.version ?? 0;
    },

    async secretVersions(team) {
      let query = open()
        .selectFrom('secrets')
        .select(['team', 'name', 'version', 'created_at', 'created_by'])
        .where('sealed', 'is not', null)
        .orderBy('team')
        .orderBy('name')
        .orderBy('version');
      if (team !== undefined) query = query.where('team', '=', team);
      return (await query.execute()).map(({ created_at, created_by, ...key }) => ({
        ...key,
        createdAt: created_at,
        createdBy: created_by,
      }));
    },

    async sealedSecret({ team, name, version }) {
      const row = await open()
        .selectFrom('secrets')
        .selectAll()
        .where('team', '=', team)
        .where('name', '=', name)
        .where('version', '=', version)
        .executeTakeFirst();
      return row && sealedFromRow(row);
    },

    async deleteSecret(team, name) {
      await open()
        .updateTable('secrets')
        .set({ sealed: null, wrapped_key: null, master_key_id: null })
        .where('team', '=', team)
        .where('name', '=', name)
        .execute();
    },

    async wrappedKeys() {
      const rows = await open()
        .selectFrom('secrets')
        .select(['team', 'name', 'version', 'wrapped_key', 'master_key_id'])
        .orderBy('team')
        .orderBy('name')
        .orderBy('version')
        .execute();
      return rows.flatMap(({ wrapped_key: wrappedKey, master_key_id: masterKeyId, ...key }) =>
        wrappedKey === null || masterKeyId === null ? [] : [{ ...key, wrappedKey, masterKeyId }],
      );
    },

    async rewrapKeys(keys) {
      await open()
        .transaction()
        .execute(async (transaction) => {
          for (const { team, name, version, wrappedKey, masterKeyId } of keys) {
            await transaction
              .updateTable('secrets')
              .set({ wrapped_key: wrappedKey, master_key_id: masterKeyId })
              .where('team', '=', team)
              .where('name', '=', name)
              .where('version', '=', version)
              .where('sealed', 'is not', null)
              .execute();
          }
        });
    },
  };
}

function sealedFromRow(row: SecretRow): SealedSecret | undefined {
  const { team, name, version, sealed, wrapped_key: wrappedKey, master_key_id: masterKeyId } = row;
  if (sealed === null || wrappedKey === null || masterKeyId === null) return undefined;
  const { created_at: createdAt, created_by: createdBy } = row;
  return { team, name, version, sealed, wrappedKey, masterKeyId, createdAt, createdBy };
}
