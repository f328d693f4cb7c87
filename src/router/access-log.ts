/** One structured record per request, in the words that the access log, the figures and the tests share. */
import type { ErrorCode } from '../core/errors.ts';
import type { DeploymentId, InstanceId, StartKind } from '../core/model.ts';
import type { Lease } from '../ports/fleet.ts';
import type { RequestContext } from './context.ts';
import type { RawHeaders } from './headers.ts';
import type { InboundRequest } from './inbound.ts';

/** How one request was served. Made when it has ended; times in ms, sizes in bytes of bodies. */
export interface AccessRecord {
  /** `x-berth-id` of the answer. */
  readonly id: string;
  /** When it arrived, ms since the epoch. */
  readonly at: number;
  readonly remoteAddress: string;
  readonly method: string;
  readonly host: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** Undefined when no deployment answers at that host. */
  readonly deploymentId: DeploymentId | undefined;
  /** Of the client's `traceparent` (W3C Trace Context), to find the request in its trace; undefined without a good one. */
  readonly traceId: string | undefined;
  /** `shop/production`, when it was asked for by a hostname of its own. */
  readonly environment: string | undefined;
  /** Of the last attempt. */
  readonly instanceId: InstanceId | undefined;
  /** What the client was sent; 101 for a WebSocket; 0 when it went away before anything was sent. */
  readonly status: number;
  /** The failure that was answered, or that cut the answer off. */
  readonly error: ErrorCode | undefined;
  readonly start: StartKind | undefined;
  readonly waitMs: number;
  readonly bootMs: number;
  readonly portMs: number;
  /** From the last dispatch to the head of the answer; undefined when there was none. */
  readonly appMs: number | undefined;
  readonly totalMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** The client went away first, or its answer was cut off. */
  readonly aborted: boolean;
}

/** What the record needs to know besides. */
export interface RequestAbout {
  readonly request: RequestContext;
  readonly req: InboundRequest;
  readonly deploymentId: DeploymentId | undefined;
  /** ms since the epoch. */
  readonly now: number;
  readonly aborted: boolean;
}

/** What is learned about a request while it is served: the source of its `Server-Timing` and of its record. */
export class Served {
  /** The latest one. */
  lease: Lease | undefined;
  tries = 0;
  waitMs = 0;
  bootMs = 0;
  portMs = 0;
  appMs: number | undefined;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;
  error: ErrorCode | undefined;

  /** Begins an attempt: where the time before it went adds up over attempts. */
  leased(lease: Lease): void {
    this.lease = lease;
    this.tries += 1;
    this.waitMs += lease.waitMs;
    this.bootMs += lease.bootMs;
    this.portMs += lease.portMs;
  }

  /** How the request was served, for the client; a second `Server-Timing` line adds to the app's own. */
  addHeaders(headers: RawHeaders, id: string): void {
    if (this.lease !== undefined) {
      const app = this.appMs === undefined ? '' : `, app;dur=${tenths(this.appMs)}`;
      headers.push(
        'server-timing',
        `wait;dur=${tenths(this.waitMs)}, boot;dur=${tenths(this.bootMs)}, port;dur=${tenths(this.portMs)}${app}`,
        'x-berth-start',
        this.lease.start,
      );
    }
    headers.push('x-berth-id', id);
  }

  /** Field by field: spreading parts together costs a microsecond per request. */
  record(about: RequestAbout): AccessRecord {
    const { request, req, deploymentId, now, aborted } = about;
    const query = request.path.indexOf('?');
    return {
      id: request.id,
      at: request.at,
      remoteAddress: req.socket.remoteAddress ?? '',
      method: req.method ?? '',
      host: request.host,
      path: query === -1 ? request.path : request.path.slice(0, query),
      deploymentId,
      traceId: traceIdOf(req.headers.traceparent),
      environment: request.environment,
      instanceId: this.lease?.instanceId,
      status: this.status,
      error: this.error,
      start: this.lease?.start,
      waitMs: this.waitMs,
      bootMs: this.bootMs,
      portMs: this.portMs,
      appMs: this.appMs,
      totalMs: now - request.at,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      retries: Math.max(0, this.tries - 1),
      aborted,
    };
  }
}

/** Version, 16 bytes of trace, 8 of parent, flags; later versions may add to it (W3C Trace Context, 3.2.2). */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;

function traceIdOf(traceparent: string | readonly string[] | undefined): string | undefined {
  return typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}

/** Tenths of a ms are what can be trusted of such times. */
function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
