/** Last requests and samples of the disk on SQLite. */
import { type Kysely, sql } from 'kysely';
import { dayOf } from '../../core/forecast.ts';
import type { CleanupStore } from '../../ports/cleanup-store.ts';
import type { Tables } from './schema.ts';

/** `open` gives the database as long as the store is open, and throws SHUTTING_DOWN afterwards. */
export function sqliteCleanup(open: () => Kysely<Tables>): CleanupStore {
  return {
    async lastRequests() {
      const rows = await open().selectFrom('last_requests').selectAll().execute();
      return new Map(rows.map((row) => [row.deployment_id, row.at]));
    },

    async noteRequests(at) {
      // One statement and so one flush for however many, and the same text whatever the number.
      await sql`insert into last_requests (deployment_id, at)
        select value ->> 0, cast(value ->> 1 as real) from json_each(${JSON.stringify([...at])})
        where exists (select 1 from deployments where id = value ->> 0)
        on conflict (deployment_id) do update set at = max(at, excluded.at)`.execute(open());
    },

    async diskSamples() {
      const rows = await open().selectFrom('disk_samples').selectAll().orderBy('day').execute();
      return rows.map((row) => ({ at: row.at, usedBytes: row.used_bytes }));
    },

    async noteDiskSample({ at, usedBytes }, keepSince) {
      await open()
        .insertInto('disk_samples')
        .values({ day: dayOf(at), at, used_bytes: usedBytes })
        .onConflict((conflict) => conflict.column('day').doUpdateSet({ at, used_bytes: usedBytes }))
        .execute();
      await open().deleteFrom('disk_samples').where('at', '<', keepSince).execute();
    },
  };
}
