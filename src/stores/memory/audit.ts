/** The audit log of the memory store. */
import type { AuditEntry } from '../../core/model.ts';
import { AUDIT_LINES, type AuditFilter } from '../../ports/audit.ts';

export class MemoryAudit {
  readonly #entries: AuditEntry[] = [];

  append(entry: AuditEntry): void {
    this.#entries.push({ ...entry });
  }

  read({
    team,
    project,
    projects,
    since,
    limit = AUDIT_LINES,
  }: AuditFilter): readonly AuditEntry[] {
    return this.#entries
      .filter(
        (entry) =>
          (team === undefined || entry.team === team) &&
          (project === undefined || entry.project === project) &&
          (projects === undefined ||
            (entry.project !== undefined && projects.includes(entry.project))) &&
          (since === undefined || entry.at >= since),
      )
      .toReversed()
      .slice(0, limit)
      .map((entry) => ({ ...entry }));
  }
}
