/** A request as one line of the log. */
import type { AccessRecord } from './access-log.ts';

/** In the log's words, and without digits that nobody can trust. */
export function accessFacts(record: AccessRecord): Readonly<Record<string, unknown>> {
  return {
    id: record.id,
    deployment: record.deploymentId,
    instance: record.instanceId,
    remote: record.remoteAddress,
    method: record.method,
    host: record.host,
    path: record.path,
    status: record.status,
    error: record.error,
    start: record.start,
    waitMs: tenths(record.waitMs),
    bootMs: tenths(record.bootMs),
    portMs: tenths(record.portMs),
    appMs: record.appMs === undefined ? undefined : tenths(record.appMs),
    totalMs: tenths(record.totalMs),
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    retries: record.retries,
    aborted: record.aborted,
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
