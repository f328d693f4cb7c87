/** Deployments and ledger entries to rows and back: the only place that reads and writes the JSON columns. */
import { BerthError } from '../../core/errors.ts';
import type { Deployment, DeploymentState } from '../../core/model.ts';
import type { LedgerEntry } from '../../ports/store.ts';
import type { DeploymentRow, LedgerRow } from './schema.ts';

export function deploymentToRow(deployment: Deployment): DeploymentRow {
  const { id, project, source, configuration, state, image, failure, readyAt } = deployment;
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
  };
}

/** Throws DATA_FOLDER when a column does not hold what we wrote. */
export function deploymentFromRow(row: DeploymentRow): Deployment {
  return {
    id: row.id,
    project: row.project,
    source: parsed<Deployment['source']>(row, 'source', row.source),
    configuration: parsed<Deployment['configuration']>(row, 'configuration', row.configuration),
    state: row.state as DeploymentState,
    ...(row.image !== null && {
      image: parsed<NonNullable<Deployment['image']>>(row, 'image', row.image),
    }),
    ...(row.failure !== null && {
      failure: parsed<NonNullable<Deployment['failure']>>(row, 'failure', row.failure),
    }),
    createdAt: row.created_at,
    createdBy: row.created_by,
    ...(row.ready_at !== null && { readyAt: row.ready_at }),
  };
}

export function entryToRow({ kind, id, deploymentId, createdAt }: LedgerEntry): LedgerRow {
  return { kind, id, deployment_id: deploymentId ?? null, created_at: createdAt };
}

export function entryFromRow(row: LedgerRow): LedgerEntry {
  return {
    kind: row.kind as LedgerEntry['kind'],
    id: row.id,
    ...(row.deployment_id !== null && { deploymentId: row.deployment_id }),
    createdAt: row.created_at,
  };
}

function parsed<T>(row: DeploymentRow, column: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const detail = `The ${column} of deployment ${row.id} in the data file is not JSON.`;
    throw new BerthError('DATA_FOLDER', { detail, cause });
  }
}
