/** The tables as Kysely sees them; `migrations.ts` makes them. */
import type { Generated } from 'kysely';
import type { Role, Token } from '../../core/access.ts';
import type { DeploymentState, ReleaseKind, ReleaseState } from '../../core/model.ts';
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
  readonly secrets: string | null;
  readonly derived_from: string | null;
}

export interface EnvironmentRow {
  readonly project: string;
  readonly name: string;
  readonly current: number | null;
  readonly latest: number;
  readonly settings: string;
  readonly paused_because: string | null;
  readonly created_at: number;
}

export interface ReleaseRow {
  readonly project: string;
  readonly environment: string;
  readonly number: number;
  readonly kind: ReleaseKind;
  readonly state: ReleaseState;
  readonly base_id: string;
  readonly deployment_id: string;
  readonly settings: string;
  readonly secrets: string;
  readonly percent: number | null;
  readonly because: string;
  readonly created_at: number;
  readonly created_by: string;
}

export interface LedgerRow {
  readonly kind: LedgerEntry['kind'];
  readonly id: string;
  readonly deployment_id: string | null;
  readonly project: string | null;
  readonly created_at: number;
  readonly used_at: number | null;
}

export interface LastRequestRow {
  readonly deployment_id: string;
  readonly at: number;
}

export interface DiskSampleRow {
  /** Days since the epoch. */
  readonly day: number;
  readonly at: number;
  readonly used_bytes: number;
}

export interface BusyRow {
  readonly instance_id: string;
  readonly until: number;
}

/** Base64 in the three columns that are null once the value was removed. */
export interface SecretRow {
  readonly team: string;
  readonly name: string;
  readonly version: number;
  readonly sealed: string | null;
  readonly wrapped_key: string | null;
  readonly master_key_id: string | null;
  readonly created_at: number;
  readonly created_by: string;
}

/** Either project and environment are there, or the deployment. */
export interface AliasRow {
  readonly hostname: string;
  readonly path: string;
  readonly project: string | null;
  readonly environment: string | null;
  readonly deployment_id: string | null;
  readonly team: string;
  readonly created_at: number;
  readonly created_by: string;
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

/** Only ever added to: triggers refuse the rest. */
export interface AuditRow {
  readonly id: Generated<number>;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly team: string;
  readonly detail: string;
  readonly project: string | null;
  readonly failure: string | null;
  readonly token: string | null;
  readonly address: string | null;
}

export interface TeamRow {
  readonly name: string;
  readonly plan: string;
  readonly created_at: number;
}

export interface ProjectRow {
  readonly name: string;
  readonly team: string;
  readonly created_at: number;
}

/** Part of tokens and invitations. */
export interface GrantColumns {
  readonly team: string | null;
  readonly role: Role;
  readonly can: string | null;
  readonly projects: string | null;
}

export interface TokenRow extends GrantColumns {
  readonly id: string;
  readonly name: string;
  readonly kind: Token['kind'];
  readonly hash: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
}

export interface InvitationRow extends GrantColumns {
  readonly hash: string;
  readonly name: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at: number;
}

export interface PlanRow {
  readonly name: string;
  readonly instances: number | null;
  readonly requests: number | null;
}

export interface Tables {
  readonly teams: TeamRow;
  readonly projects: ProjectRow;
  readonly tokens: TokenRow;
  readonly invitations: InvitationRow;
  readonly plans: PlanRow;
  readonly audit: AuditRow;
  readonly deployments: DeploymentRow;
  readonly environments: EnvironmentRow;
  readonly releases: ReleaseRow;
  readonly ledger: LedgerRow;
  readonly last_requests: LastRequestRow;
  readonly disk_samples: DiskSampleRow;
  readonly busy: BusyRow;
  readonly secrets: SecretRow;
  readonly aliases: AliasRow;
  readonly settings: SettingRow;
  readonly schema_versions: SchemaVersionRow;
}
