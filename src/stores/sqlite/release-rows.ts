/** Environments and releases to rows and back: the only place that reads and writes their JSON columns. */
import { BerthError } from '../../core/errors.ts';
import type { Environment, Release } from '../../core/model.ts';
import type { EnvironmentRow, ReleaseRow } from './schema.ts';

export function environmentToRow(environment: Environment): EnvironmentRow {
  return {
    project: environment.project,
    name: environment.name,
    current: environment.current ?? null,
    latest: environment.latest,
    settings: JSON.stringify(environment.settings),
    paused_because: environment.pausedBecause ?? null,
    created_at: environment.createdAt,
  };
}

/** Throws DATA_FOLDER when a column does not hold what we wrote. */
export function environmentFromRow(row: EnvironmentRow): Environment {
  return {
    project: row.project,
    name: row.name,
    ...(row.current !== null && { current: row.current }),
    latest: row.latest,
    settings: parsed(row.settings, `environment ${row.name} of ${row.project}`),
    ...(row.paused_because !== null && { pausedBecause: row.paused_because }),
    createdAt: row.created_at,
  };
}

export function releaseToRow(release: Release): ReleaseRow {
  return {
    project: release.project,
    environment: release.environment,
    number: release.number,
    kind: release.kind,
    state: release.state,
    base_id: release.baseId,
    deployment_id: release.deploymentId,
    settings: JSON.stringify(release.settings),
    secrets: JSON.stringify(release.secrets),
    percent: release.percent ?? null,
    because: release.because,
    created_at: release.createdAt,
    created_by: release.createdBy,
  };
}

/** Throws DATA_FOLDER when a column does not hold what we wrote. */
export function releaseFromRow(row: ReleaseRow): Release {
  const where = `v${row.number} of ${row.project}/${row.environment}`;
  return {
    project: row.project,
    environment: row.environment,
    number: row.number,
    kind: row.kind,
    state: row.state,
    baseId: row.base_id,
    deploymentId: row.deployment_id,
    settings: parsed(row.settings, where),
    secrets: parsed(row.secrets, where),
    ...(row.percent !== null && { percent: row.percent }),
    because: row.because,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

/** `any` takes the type of the field it is for: only this file writes them. */
// oxlint-disable-next-line typescript/no-explicit-any
function parsed(text: string, where: string): any {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = `A column of ${where} in the data file is not JSON.`;
    throw new BerthError('DATA_FOLDER', { detail, cause });
  }
}
