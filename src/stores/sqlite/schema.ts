/** The tables as Kysely sees them; `migrations.ts` makes them. */
import type { DeploymentState } from '../../core/model.ts';
import type { LedgerEntry } from '../../ports/store.ts';

/** Columns in JSON are read and written by `rows.ts` alone. Times are ms since the epoch with fractions. */
export interface DeploymentRow {
  readonly id: string;
  readonly project: string;
  readonly source: string;
  readonly configuration: string;
  readonly state: DeploymentState;
  readonly image: string | null;
  readonly failure: string | null;
  readonly created_at: number;
  readonly created_by: string;
  readonly ready_at: number | null;
}

export interface LedgerRow {
  readonly kind: LedgerEntry['kind'];
  readonly id: string;
  readonly deployment_id: string | null;
  readonly created_at: number;
}

export interface SettingRow {
  readonly name: string;
  readonly value: string;
}

/** One row per migration that was applied. */
export interface SchemaVersionRow {
  readonly version: number;
  readonly name: string;
}

export interface Tables {
  readonly deployments: DeploymentRow;
  readonly ledger: LedgerRow;
  readonly settings: SettingRow;
  readonly schema_versions: SchemaVersionRow;
}
