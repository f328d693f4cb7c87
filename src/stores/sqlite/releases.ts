/** Environments and releases on SQLite: the pointer and what it points at move in one transaction. */
import { setImmediate } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { emptySettings } from '../../core/release.ts';
import type { Environment, Release } from '../../core/model.ts';
import type { GivingWay, ReleaseQuery, ReleaseStore } from '../../ports/release-store.ts';
import {
  environmentFromRow,
  environmentToRow,
  releaseFromRow,
  releaseToRow,
} from './release-rows.ts';
import type { Tables } from './schema.ts';

/** Rows taken over and parsed in one go, as for deployments. */
const PAGE_ROWS = 100;
/** Written into the statement: SQLite uses a partial index only where it can see that its condition holds. */
const CURRENT = sql.lit('current' as const);
const HELD_TRAFFIC = ['current', 'superseded'] as const;
const UNFINISHED = [sql.lit('preparing' as const), sql.lit('trial' as const)];

/** `open` gives the database as long as the store is open, and throws SHUTTING_DOWN afterwards. */
export function sqliteReleases(open: () => Kysely<Tables>): ReleaseStore {
  async function environment(project: string, name: string): Promise<Environment | undefined> {
    const row = await open()
      .selectFrom('environments')
      .selectAll()
      .where('project', '=', project)
      .where('name', '=', name)
      .executeTakeFirst();
    return row && environmentFromRow(row);
  }

  async function makeEnvironment(
    database: Kysely<Tables>,
    project: string,
    name: string,
    createdAt: number,
  ): Promise<void> {
    const made = { project, name, latest: 0, settings: emptySettings, createdAt };
    await database
      .insertInto('environments')
      .values(environmentToRow(made))
      .onConflict((conflict) => conflict.columns(['project', 'name']).doNothing())
      .execute();
  }

  async function giveWay(
    database: Kysely<Tables>,
    project: string,
    name: string,
    givingWay: GivingWay | undefined,
  ): Promise<void> {
    if (!givingWay) return;
    await database
      .updateTable('releases')
      .set({ state: 'failed', because: givingWay.because })
      .where('project', '=', project)
      .where('environment', '=', name)
      .where('number', '=', givingWay.number)
      .where('state', '=', 'trial')
      .execute();
  }

  return {
    async environments({ project } = {}) {
      const all: Environment[] = [];
      for (;;) {
        const last = all.at(-1);
        let query = open()
          .selectFrom('environments')
          .selectAll()
          .orderBy('project')
          .orderBy('name')
          .limit(PAGE_ROWS);
        if (project !== undefined) query = query.where('project', '=', project);
        if (last) {
          query = query.where((of) =>
            of(of.refTuple('project', 'name'), '>', of.tuple(last.project, last.name)),
          );
        }
        const page = await query.execute();
        for (const row of page) all.push(environmentFromRow(row));
        if (page.length < PAGE_ROWS) return all;
        await setImmediate();
      }
    },

    environment,

    async ensureEnvironment(project, name, createdAt) {
      await makeEnvironment(open(), project, name, createdAt);
      const row = await open()
        .selectFrom('environments')
        .selectAll()
        .where('project', '=', project)
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      return environmentFromRow(row);
    },

    deleteEnvironment: (project, name) =>
      open()
        .transaction()
        .execute(async (database) => {
          await database
            .deleteFrom('environments')
            .where('project', '=', project)
            .where('name', '=', name)
            .execute();
          await database
            .deleteFrom('releases')
            .where('project', '=', project)
            .where('environment', '=', name)
            .execute();
        }),

    async setInitialSettings(project, name, settings) {
      const { numUpdatedRows } = await open()
        .updateTable('environments')
        .set({ settings: JSON.stringify(settings) })
        .where('project', '=', project)
        .where('name', '=', name)
        .where('current', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },

    async pauseEnvironment(project, name, because) {
      await open()
        .updateTable('environments')
        .set({ paused_because: because ?? null })
        .where('project', '=', project)
        .where('name', '=', name)
        .execute();
    },

    beginRelease: (draft) =>
      open()
        .transaction()
        .execute(async (database) => {
          const { project, environment: name } = draft;
          await makeEnvironment(database, project, name, draft.createdAt);
          const { latest } = await database
            .updateTable('environments')
            .set((of) => ({ latest: of('latest', '+', 1) }))
            .where('project', '=', project)
            .where('name', '=', name)
            .returning('latest')
            .executeTakeFirstOrThrow();
          const release: Release = { ...draft, number: latest, state: 'preparing' };
          await database.insertInto('releases').values(releaseToRow(release)).execute();
          return structuredClone(release);
        }),

    switchTo: ({ project, environment: name, number }, pausedBecause, givingWay) =>
      open()
        .transaction()
        .execute(async (database) => {
          const row = await database
            .selectFrom('releases')
            .select('settings')
            .where('project', '=', project)
            .where('environment', '=', name)
            .where('number', '=', number)
            .where('state', 'in', UNFINISHED)
            .executeTakeFirst();
          if (!row) return false;
          await giveWay(database, project, name, givingWay);
          await database
            .updateTable('releases')
            .set({ state: 'superseded' })
            .where('project', '=', project)
            .where('environment', '=', name)
            .where('state', '=', 'current')
            .execute();
          await database
            .updateTable('releases')
            .set({ state: 'current', percent: null })
            .where('project', '=', project)
            .where('environment', '=', name)
            .where('number', '=', number)
            .execute();
          await database
            .updateTable('environments')
            .set({
              current: number,
              settings: row.settings,
              paused_because: pausedBecause ?? null,
            })
            .where('project', '=', project)
            .where('name', '=', name)
            .execute();
          return true;
        }),

    beginTrial: ({ project, environment: name, number }, percent, givingWay) =>
      open()
        .transaction()
        .execute(async (database) => {
          const { numUpdatedRows } = await database
            .updateTable('releases')
            .set({ state: 'trial', percent })
            .where('project', '=', project)
            .where('environment', '=', name)
            .where('number', '=', number)
            .where('state', '=', 'preparing')
            .executeTakeFirst();
          if (numUpdatedRows !== 1n) return false;
          await giveWay(database, project, name, givingWay);
          return true;
        }),

    async failRelease({ project, environment: name, number }, because) {
      const { numUpdatedRows } = await open()
        .updateTable('releases')
        .set({ state: 'failed', because })
        .where('project', '=', project)
        .where('environment', '=', name)
        .where('number', '=', number)
        .where('state', 'in', UNFINISHED)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },

    async release(project, name, number) {
      const row = await open()
        .selectFrom('releases')
        .selectAll()
        .where('project', '=', project)
        .where('environment', '=', name)
        .where('number', '=', number)
        .executeTakeFirst();
      return row && releaseFromRow(row);
    },

    releases: (query) => releasesOf(open, query),

    async *releaseOutlines({ project: only, isCurrent = false } = {}) {
      let last: { project: string; environment: string; number: number } | undefined;
      for (;;) {
        let query = open()
          .selectFrom('releases')
          .select(['project', 'environment', 'number', 'state', 'created_at as createdAt'])
          .select(['base_id as baseId', 'deployment_id as deploymentId'])
          .orderBy('project')
          .orderBy('environment')
          .orderBy('number')
          .limit(PAGE_ROWS);
        if (only !== undefined) query = query.where('project', '=', only);
        if (isCurrent) query = query.where('state', '=', CURRENT);
        if (last) {
          const { project, environment, number } = last;
          query = query.where((of) =>
            of(
              of.refTuple('project', 'environment', 'number'),
              '>',
              of.tuple(project, environment, number),
            ),
          );
        }
        const page = await query.execute();
        if (page.length > 0) yield page;
        if (page.length < PAGE_ROWS) return;
        last = page.at(-1);
        await setImmediate();
      }
    },

    async currentReleases({ project } = {}) {
      const all: Release[] = [];
      for (;;) {
        const last = all.at(-1);
        let query = open()
          .selectFrom('releases')
          .selectAll()
          .where('state', '=', CURRENT)
          .orderBy('project')
          .orderBy('environment')
          .limit(PAGE_ROWS);
        if (project !== undefined) query = query.where('project', '=', project);
        if (last) {
          query = query.where((of) =>
            of(
              of.refTuple('project', 'environment'),
              '>',
              of.tuple(last.project, last.environment),
            ),
          );
        }
        const page = await query.execute();
        for (const row of page) all.push(releaseFromRow(row));
        if (page.length < PAGE_ROWS) return all;
        await setImmediate();
      }
    },

    async unfinishedReleases() {
      const rows = await open()
        .selectFrom('releases')
        .selectAll()
        .where('state', 'in', UNFINISHED)
        .orderBy('created_at')
        .execute();
      return inParts(rows);
    },

    async releasesOf(deploymentId) {
      const rows = await open()
        .selectFrom('releases')
        .selectAll()
        .where((of) =>
          of.or([of('deployment_id', '=', deploymentId), of('base_id', '=', deploymentId)]),
        )
        .orderBy('created_at', 'desc')
        .orderBy('number', 'desc')
        .execute();
      return inParts(rows);
    },

    async deploymentsInReach({ releases, productionSince }) {
      const ranked = await open()
        .with('ranked', (database) =>
          database
            .selectFrom('releases')
            .select(['base_id', 'deployment_id', 'environment', 'number', 'created_at'])
            .select(
              sql<number>`row_number() over (partition by project, environment order by number desc)`.as(
                'rank',
              ),
            )
            // What took traffic at that moment began before it, so the one before the first newer one counts too.
            .select(
              sql<number>`lead(created_at) over (partition by project, environment order by number)`.as(
                'next_at',
              ),
            )
            .where('state', 'in', HELD_TRAFFIC),
        )
        .selectFrom('ranked')
        .select(['base_id', 'deployment_id'])
        .distinct()
        .where((of) =>
          of.or([
            of('rank', '<=', releases),
            of.and([
              of('environment', '=', 'production'),
              of.or([of('next_at', 'is', null), of('next_at', '>=', productionSince)]),
            ]),
          ]),
        )
        .union((database) =>
          database
            .selectFrom('releases')
            .select(['base_id', 'deployment_id'])
            .where('state', 'in', UNFINISHED),
        )
        .execute();
      return new Set(ranked.flatMap((row) => [row.base_id, row.deployment_id]));
    },
  };
}

/** Of one environment by its numbers; of a whole project by time, each environment's own in the order of its numbers. */
async function releasesOf(
  open: () => Kysely<Tables>,
  { project, environment, limit = Number.MAX_SAFE_INTEGER, before }: ReleaseQuery,
): Promise<readonly Release[]> {
  const all: Release[] = [];
  while (all.length < limit) {
    const last = all.at(-1);
    const wanted = Math.min(PAGE_ROWS, limit - all.length);
    let query = open()
      .selectFrom('releases')
      .selectAll()
      .where('project', '=', project)
      .limit(wanted);
    if (environment === undefined) {
      query = query
        .orderBy('created_at', 'desc')
        .orderBy('environment', 'desc')
        .orderBy('number', 'desc');
      if (last) {
        query = query.where((of) =>
          of(
            of.refTuple('created_at', 'environment', 'number'),
            '<',
            of.tuple(last.createdAt, last.environment, last.number),
          ),
        );
      }
    } else {
      query = query.where('environment', '=', environment).orderBy('number', 'desc');
      if (last) query = query.where('number', '<', last.number);
    }
    if (before !== undefined) query = query.where('number', '<', before);
    const page = await query.execute();
    for (const row of page) all.push(releaseFromRow(row));
    if (page.length < wanted) break;
    await setImmediate();
  }
  return all;
}

/** Parses rows without holding the thread for more than a page. */
async function inParts(
  rows: readonly Parameters<typeof releaseFromRow>[0][],
): Promise<readonly Release[]> {
  const all: Release[] = [];
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % PAGE_ROWS === 0) await setImmediate();
    all.push(releaseFromRow(row));
  }
  return all;
}
