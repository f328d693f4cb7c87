/** Busy leases on SQLite. */
import type { Kysely } from 'kysely';
import type { BusyStore } from '../../ports/busy-store.ts';
import type { Tables } from './schema.ts';

/** `open` gives the database as long as the store is open, and throws SHUTTING_DOWN afterwards. */
export function sqliteBusy(open: () => Kysely<Tables>): BusyStore {
  return {
    async busyUntil() {
      const rows = await open().selectFrom('busy').selectAll().execute();
      return new Map(rows.map((row) => [row.instance_id, row.until]));
    },
    async recordBusy(instanceId, until) {
      await open()
        .insertInto('busy')
        .values({ instance_id: instanceId, until })
        .onConflict((conflict) => conflict.column('instance_id').doUpdateSet({ until }))
        .execute();
    },
    async forgetBusy(instanceId) {
      await open().deleteFrom('busy').where('instance_id', '=', instanceId).execute();
    },
  };
}
