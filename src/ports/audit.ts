/** The log of changes: lines are added, never changed, never removed. Contract proved by `stores/audit.contract.ts`. */
import type { AuditEntry } from '../core/model.ts';

/** Lines shown unless another number is asked for. */
export const AUDIT_LINES = 100;

export interface AuditFilter {
  readonly team?: string;
  readonly project?: string;
  /** Only lines that belong to one of these. */
  readonly projects?: readonly string[];
  /** Only lines at or after this time, in ms since the epoch. */
  readonly since?: number;
  /** At most so many of the newest; otherwise `AUDIT_LINES`. */
  readonly limit?: number;
}

/** Part of every store. There is no way to change or remove a line, here or in the data file. */
export interface AuditLog {
  /** Durable when it resolves. */
  appendAudit(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  audit(filter?: AuditFilter): Promise<readonly AuditEntry[]>;
}
