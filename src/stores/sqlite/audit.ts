/** The audit log on SQLite: rows are added and read, and triggers refuse anything else. */
import { setImmediate } from 'node:timers/promises';
import type { Kysely, Selectable } from 'kysely';
import type { AuditEntry } from '../../core/model.ts';
import { AUDIT_LINES, type AuditFilter } from '../../ports/audit.ts';
import type { AuditRow, Tables } from './schema.ts';

/** Rows taken over in one go. */
const PAGE_ROWS = 100;

export async function appendAudit(database: Kysely<Tables>, entry: AuditEntry): Promise<void> {
  const { at, actor, action, subject, team, detail } = entry;
  await database
    .insertInto('audit')
    .values({
      at,
      actor,
      action,
      subject,
      team,
      detail,
      project: entry.project ?? null,
      failure: entry.failure ?? null,
      token: entry.token ?? null,
      address: entry.address ?? null,
    })
    .execute();
}

/** In pages, so that a long list never holds the thread that serves requests. */
export async function readAudit(
  database: Kysely<Tables>,
  filter: AuditFilter,
): Promise<readonly AuditEntry[]> {
  const { limit = AUDIT_LINES } = filter;
  const entries: AuditEntry[] = [];
  let before: number | undefined;
  while (entries.length < limit) {
    const size = Math.min(PAGE_ROWS, limit - entries.length);
    const rows = await page(database, filter, before, size);
    for (const row of rows) entries.push(entryFromRow(row));
    if (rows.length < size) break;
    before = rows.at(-1)?.id;
    // Answers of the worker overtake sockets and timers as long as one is there: let those have their turn.
    await setImmediate();
  }
  return entries;
}

function page(
  database: Kysely<Tables>,
  { team, project, projects, since }: AuditFilter,
  before: number | undefined,
  size: number,
): Promise<readonly Selectable<AuditRow>[]> {
  let query = database.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(size);
  if (before !== undefined) query = query.where('id', '<', before);
  if (team !== undefined) query = query.where('team', '=', team);
  if (project !== undefined) query = query.where('project', '=', project);
  if (projects !== undefined) query = query.where('project', 'in', projects);
  if (since !== undefined) query = query.where('at', '>=', since);
  return query.execute();
}

function entryFromRow(row: Selectable<AuditRow>): AuditEntry {
  const { id: _, project, failure, token, address, ...entry } = row;
  return {
    ...entry,
    ...(project !== null && { project }),
    ...(failure !== null && { failure }),
    ...(token !== null && { token }),
    ...(address !== null && { address }),
  };
}
