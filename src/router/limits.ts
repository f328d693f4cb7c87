/** Bounds of the router and their defaults: what a client may send, and how long things may last. */

export interface RouterLimits {
  /** Request line and headers together, in bytes. */
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Path and query, in bytes. */
  readonly urlBytes: number;
  /** From the first byte of a connection or request to the end of its headers, in ms. */
  readonly headersTimeoutMs: number;
  /** How long a client's connection may rest between requests, in ms. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may take nothing of an answer that waits for it, in ms. */
  readonly writeTimeoutMs: number;
  /** Connections of one client address at the same time. */
  readonly socketsPerClient: number;
  /** How long a connection may say nothing before TCP asks whether its other end is still there, in ms. */
  readonly tcpKeepAliveMs: number;
  /** How often clients are looked after whose upload nobody may be reading, in ms. */
  readonly absenceMs: number;
  /** Streams of one connection of HTTP/2 at the same time. */
  readonly http2Streams: number;
  /** Streams that a client may reset at once; then a tenth of it each second. */
  readonly http2Resets: number;
  /** Pings and settings that a client may send within 10 s, beside one for each time that it was sent something. */
  readonly http2ControlFrames: number;
  /** What a client may send beside its requests and beyond what its answers are worth, in bytes; then a tenth of it each second. */
  readonly http2OverheadBytes: number;
  /** Headers of an app's answer, in bytes. */
  readonly responseHeaderBytes: number;
  /** Time to connect to an instance, in ms. */
  readonly connectTimeoutMs: number;
  /** How long a connection to an instance may rest when the instance gives no hint of its own, in ms. */
  readonly upstreamKeepAliveMs: number;
  /** How much of a request's body is held so that it can be sent again, in bytes. */
  readonly replayBytes: number;
  /** How much of all requests' bodies together is held so, in bytes; beyond it they stay with their clients until they are sent. */
  readonly totalReplayBytes: number;
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
  headerBytes: 32 * 1024,
  headerCount: 200,
  urlBytes: 16 * 1024,
  headersTimeoutMs: 15_000,
  keepAliveTimeoutMs: 75_000,
  writeTimeoutMs: 60_000,
  socketsPerClient: 1_000,
  tcpKeepAliveMs: 60_000,
  absenceMs: 5_000,
  http2Streams: 100,
  http2Resets: 300,
  http2ControlFrames: 200,
  http2OverheadBytes: 1024 * 1024,
  responseHeaderBytes: 64 * 1024,
  connectTimeoutMs: 10_000,
  // Below the 2 s of gunicorn, the shortest default among common servers that send no keep-alive hint.
  upstreamKeepAliveMs: 1_500,
  replayBytes: 64 * 1024,
  totalReplayBytes: 64 * 1024 * 1024,
  gatherMs: 10,
  maxTries: 4,
  lingerMs: 10_000,
  halfClosedMs: 30_000,
  goodbyeMs: 3_000,
  closeMs: 10_000,
};
