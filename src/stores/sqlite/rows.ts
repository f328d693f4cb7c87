/** Deployments and ledger entries to rows and back: the only place that reads and writes the JSON columns. */
import { BerthError } from '../../core/errors.ts';
import type { Deployment } from '../../core/model.ts';
import type { LedgerEntry } from '../../ports/store.ts';
import type { DeploymentRow, LedgerRow } from './schema.ts';

export function deploymentToRow(deployment: Deployment): DeploymentRow {
  const { id, project, source, configuration, state, image, failure, readyAt } = deployment;
  const { secrets, derivedFrom } = deployment;
  return {
    id,
    project,
    source: JSON.stringify(source),
    configuration: JSON.stringify(configuration),
    state,
    image: image === undefined ? null : JSON.stringify(image),
    failure: failure === undefined ? null : JSON.stringify(failure),
    created_at: deployment.createdAt,
    created_by: deployment.createdBy,
    ready_at: readyAt ?? null,
    secrets: secrets === undefined ? null : JSON.stringify(secrets),
    derived_from: derivedFrom ?? null,
  };
}

/** Throws DATA_FOLDER when a column does not hold what we wrote. */
export function deploymentFromRow(row: DeploymentRow): Deployment {
  return {
    id: row.id,
    project: row.project,
    source: parsed(row, 'source'),
    configuration: parsed(row, 'configuration'),
    state: row.state,
    ...(row.image !== null && { image: parsed(row, 'image') }),
    ...(row.failure !== null && { failure: parsed(row, 'failure') }),
    createdAt: row.created_at,
    createdBy: row.created_by,
    ...(row.ready_at !== null && { readyAt: row.ready_at }),
    ...(row.secrets !== null && { secrets: parsed(row, 'secrets') }),
    ...(row.derived_from !== null && { derivedFrom: row.derived_from }),
  };
}

export function entryToRow(entry: LedgerEntry): LedgerRow {
  const { kind, id, deploymentId, project, createdAt, usedAt } = entry;
  return {
    kind,
    id,
    deployment_id: deploymentId ?? null,
    project: project ?? null,
    created_at: createdAt,
    used_at: usedAt ?? null,
  };
}

export function entryFromRow(row: LedgerRow): LedgerEntry {
  return {
    kind: row.kind,
    id: row.id,
    ...(row.deployment_id !== null && { deploymentId: row.deployment_id }),
    ...(row.project !== null && { project: row.project }),
    createdAt: row.created_at,
    ...(row.used_at !== null && { usedAt: row.used_at }),
  };
}

type JsonColumn = 'source' | 'configuration' | 'image' | 'failure' | 'secrets';

/** `any` takes the type of the column it came from: only this file writes them. */
// oxlint-disable-next-line typescript/no-explicit-any
function parsed(row: DeploymentRow, column: JsonColumn): any {
  try {
    return JSON.parse(row[column] ?? 'null');
  } catch (cause) {
    const detail = `The ${column} of deployment ${row.id} in the data file is not JSON.`;
    throw new BerthError('DATA_FOLDER', { detail, cause });
  }
}
