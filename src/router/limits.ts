/** Bounds of the router and their defaults: what a client may send, and how long things may last. */
import { DEFAULT_TRAFFIC_BOUNDS, type TrafficBounds } from '../core/traffic-bounds.ts';

/** Those that an operator sets stand in `core/traffic-bounds.ts`; how long and how many may wait, the pool knows. */
export interface RouterLimits extends Omit<TrafficBounds, 'maxWaiting' | 'maxWaitMs'> {
  /** How long a connection may say nothing before TCP asks whether its other end is still there, in ms. */
  readonly tcpKeepAliveMs: number;
  /** How often clients are looked after whose upload nobody may be reading, in ms. */
  readonly absenceMs: number;
  /** Headers of an app's answer, in bytes. */
  readonly responseHeaderBytes: number;
  /** Time to connect to an instance, in ms. */
  readonly connectTimeoutMs: number;
  /** How long a connection to an instance may rest when the instance gives no hint of its own, in ms. */
  readonly upstreamKeepAliveMs: number;
  /** How long a small body that is not wholly there yet is waited for before it is streamed, in ms. */
  readonly gatherMs: number;
  /** Attempts for one request, the first included. */
  readonly maxTries: number;
  /** How long the rest of a request is read and thrown away after its answer, in ms. */
  readonly lingerMs: number;
  /** How long a spliced connection may live on after one side has closed, in ms. */
  readonly halfClosedMs: number;
  /** How long a WebSocket that has to go may take to say goodbye, in ms. */
  readonly goodbyeMs: number;
  /** How long `close()` waits for what is in flight, in ms. */
  readonly closeMs: number;
}

export const DEFAULT_ROUTER_LIMITS: RouterLimits = {
  ...DEFAULT_TRAFFIC_BOUNDS,
  tcpKeepAliveMs: 60_000,
  absenceMs: 5_000,
  responseHeaderBytes: 64 * 1024,
  connectTimeoutMs: 10_000,
  // Below the 2 s of gunicorn, the shortest default among common servers that send no keep-alive hint.
  upstreamKeepAliveMs: 1_500,
  gatherMs: 10,
  maxTries: 4,
  lingerMs: 10_000,
  halfClosedMs: 30_000,
  goodbyeMs: 3_000,
  closeMs: 10_000,
};
