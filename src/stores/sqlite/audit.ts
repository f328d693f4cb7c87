/** The audit log on SQLite: rows are added and read, and triggers refuse anything else. */
import type { Kysely } from 'kysely';
import type { AuditEntry } from '../../core/model.ts';
import { AUDIT_LINES, type AuditFilter } from '../../ports/audit.ts';
import type { Tables } from './schema.ts';

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

export async function readAudit(
  database: Kysely<Tables>,
  { team, project, projects, since, limit = AUDIT_LINES }: AuditFilter,
): Promise<readonly AuditEntry[]> {
  let query = database.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(limit);
  if (team !== undefined) query = query.where('team', '=', team);
  if (project !== undefined) query = query.where('project', '=', project);
  if (projects !== undefined) query = query.where('project', 'in', projects);
  if (since !== undefined) query = query.where('at', '>=', since);
  return (await query.execute()).map(
    ({ id: _, project: ofProject, failure, token, address, ...entry }) => ({
      ...entry,
      ...(ofProject !== null && { project: ofProject }),
      ...(failure !== null && { failure }),
      ...(token !== null && { token }),
      ...(address !== null && { address }),
    }),
  );
}
