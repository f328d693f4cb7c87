/** What requests cost, by deployment: plain counters that one request touches in passing. */
import type { ErrorCode } from '../core/errors.ts';
import type { DeploymentId, StartKind } from '../core/model.ts';
import { Buckets, REQUEST_BOUNDS } from './buckets.ts';

/** What is counted of a request that has ended; the access log's record has all of it. */
export interface RequestFigures {
  readonly deploymentId: DeploymentId | undefined;
  /** 0 when nothing was sent; 101 for a WebSocket. */
  readonly status: number;
  readonly error: ErrorCode | undefined;
  readonly start: StartKind | undefined;
  readonly appMs: number | undefined;
  readonly totalMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Attempts beyond the first. */
  readonly retries: number;
}

/** `none`: nothing was sent, because the client went away first. */
export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** `none`: no instance was asked. */
export const STARTS = ['none', 'warm', 'thawed', 'parked', 'cold'] as const;

/**
 * Deployments with series of their own; what is asked of others meanwhile is counted together, under `OTHERS`. The text
 * is written on the thread that serves: 200 took 20 ms of it.
 */
export const MAX_DEPLOYMENTS = 100;
const OTHERS = '(others)';
/** Requests for hosts where nothing is deployed. */
const NOBODY = '(none)';

const SWITCHED = 101;

export class DeploymentFigures {
  /** By status class, then by start. */
  readonly requests = new Float64Array(STATUS_CLASSES.length * STARTS.length);
  readonly totalTimes = new Buckets(REQUEST_BOUNDS);
  readonly appTimes = new Buckets(REQUEST_BOUNDS);
  bytesIn = 0;
  bytesOut = 0;
  retries = 0;

  count(request: RequestFigures): void {
    const { status, start = 'none', appMs } = request;
    const statusClass = Math.min(Math.trunc(status / 100), STATUS_CLASSES.length - 1);
    const index = statusClass * STARTS.length + STARTS.indexOf(start);
    this.requests[index] = (this.requests[index] ?? 0) + 1;
    // A WebSocket lasts as long as people stay: its end says nothing about how quick anything was.
    if (status !== SWITCHED) this.totalTimes.observe(request.totalMs);
    if (appMs !== undefined) this.appTimes.observe(appMs);
    this.bytesIn += request.bytesIn;
    this.bytesOut += request.bytesOut;
    this.retries += request.retries;
  }
}

export class Requests {
  readonly byDeployment = new Map<string, DeploymentFigures>();
  /** Failures that the router answered, by code. */
  readonly errors = new Map<ErrorCode, number>();

  count(request: RequestFigures): void {
    const label = this.labelOf(request.deploymentId ?? NOBODY);
    let figures = this.byDeployment.get(label);
    if (figures === undefined) this.byDeployment.set(label, (figures = new DeploymentFigures()));
    figures.count(request);
    if (request.error !== undefined)
      this.errors.set(request.error, (this.errors.get(request.error) ?? 0) + 1);
  }

  /** The deployment itself while there is room for one more, otherwise the one label of all others. */
  labelOf(deploymentId: string): string {
    if (this.byDeployment.has(deploymentId)) return deploymentId;
    return this.byDeployment.size < MAX_DEPLOYMENTS || deploymentId === NOBODY
      ? deploymentId
      : OTHERS;
  }

  /** Drops the series of deployments that are no more. */
  keep(isKnown: (id: DeploymentId) => boolean): void {
    for (const label of this.byDeployment.keys()) {
      if (label !== OTHERS && label !== NOBODY && !isKnown(label)) this.byDeployment.delete(label);
    }
  }
}
