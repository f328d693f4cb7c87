/** What an operator may bound in the traffic from clients: names, units, defaults and what happens beyond. */

export type BoundUnit = 'bytes' | 'ms' | 'count';

export interface TrafficBound {
  /** As it is written after `--bound`. */
  readonly name: string;
  readonly unit: BoundUnit;
  /** In its unit, as all figures here. */
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly meaning: string;
  /** What a client beyond it is answered. */
  readonly beyond: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;

const TABLE = {
  headerBytes: {
    name: 'header-size',
    unit: 'bytes',
    default: 32 * KIB,
    least: KIB,
    most: MIB,
    meaning: 'request line and headers of one request together',
    beyond: '431',
  },
  headerCount: {
    name: 'header-count',
    unit: 'count',
    default: 200,
    least: 10,
    most: 10_000,
    meaning: 'headers of one request',
    beyond: '431',
  },
  urlBytes: {
    name: 'url-size',
    unit: 'bytes',
    default: 16 * KIB,
    least: 256,
    most: MIB,
    meaning: 'path and query of one request',
    beyond: '414',
  },
  headersTimeoutMs: {
    name: 'headers-timeout',
    unit: 'ms',
    default: 15_000,
    least: 100,
    most: HOUR_MS,
    meaning: 'from the first byte of a request to the end of its headers',
    beyond: '408, or the end of a connection that has sent nothing',
  },
  keepAliveTimeoutMs: {
    name: 'idle-timeout',
    unit: 'ms',
    default: 75_000,
    least: 100,
    most: HOUR_MS,
    meaning: 'rest of a client’s connection between two requests',
    beyond: 'the end of the connection',
  },
  writeTimeoutMs: {
    name: 'write-timeout',
    unit: 'ms',
    default: 60_000,
    least: 100,
    most: HOUR_MS,
    meaning: 'time in which a client takes nothing of an answer that waits for it',
    beyond: 'the end of the connection: its answer has begun',
  },
  socketsPerClient: {
    name: 'sockets-per-client',
    unit: 'count',
    default: 1_000,
    least: 1,
    most: 1_000_000,
    meaning: 'connections of one client address at the same time',
    beyond: '429 TOO_MANY_CONNECTIONS',
  },
  http2Streams: {
    name: 'http2-streams',
    unit: 'count',
    default: 100,
    least: 1,
    most: 10_000,
    meaning: 'streams of one connection of HTTP/2 at the same time',
    beyond: 'the stream is refused (REFUSED_STREAM)',
  },
  http2Resets: {
    name: 'http2-resets',
    unit: 'count',
    default: 300,
    least: 10,
    most: 1_000_000,
    meaning: 'streams that a client may reset at once; then a tenth of it each second',
    beyond: 'GOAWAY',
  },
  http2ControlFrames: {
    name: 'http2-control-frames',
    unit: 'count',
    default: 200,
    least: 10,
    most: 1_000_000,
    meaning:
      'pings and settings within 10 s beyond one for each time that the client was sent something',
    beyond: 'GOAWAY (ENHANCE_YOUR_CALM)',
  },
  http2OverheadBytes: {
    name: 'http2-overhead',
    unit: 'bytes',
    default: MIB,
    least: 64 * KIB,
    most: 1024 * MIB,
    meaning:
      'what a client of HTTP/2 sends beside its requests and beyond what its answers are worth; then a tenth of it each second',
    beyond: 'GOAWAY (ENHANCE_YOUR_CALM)',
  },
  replayBytes: {
    name: 'replay-size',
    unit: 'bytes',
    default: 64 * KIB,
    least: 0,
    most: 16 * MIB,
    meaning: 'body of one request that is held so that it can be sent again',
    beyond: 'it is streamed, and not sent again once an instance began to take it',
  },
  totalReplayBytes: {
    name: 'total-replay-size',
    unit: 'bytes',
    default: 64 * MIB,
    least: 0,
    most: 64 * 1024 * MIB,
    meaning:
      'all bodies that are held so, together; one deployment’s are never more than is left free',
    beyond: 'as for replay-size',
  },
  maxWaiting: {
    name: 'waiting',
    unit: 'count',
    default: 2_000,
    least: 0,
    most: 1_000_000,
    meaning: 'requests of one deployment that may wait for an instance',
    beyond: '429 QUEUE_FULL',
  },
  maxWaitMs: {
    name: 'wait',
    unit: 'ms',
    default: 60_000,
    least: 100,
    most: HOUR_MS,
    meaning: 'time that one request may wait for an instance',
    beyond: '504 BOOT_TIMEOUT while an instance boots, otherwise 429 QUEUE_FULL',
  },
} as const satisfies Readonly<Record<string, TrafficBound>>;

export type TrafficBoundKey = keyof typeof TABLE;

/** Each in its unit: bytes, ms, or a count. */
export type TrafficBounds = { readonly [Key in TrafficBoundKey]: number };

export const TRAFFIC_BOUNDS: Readonly<Record<TrafficBoundKey, TrafficBound>> = TABLE;

export const TRAFFIC_BOUND_KEYS = Object.keys(TABLE) as readonly TrafficBoundKey[];

/** Room for a burst, none for a flood. */
export const DEFAULT_TRAFFIC_BOUNDS = Object.fromEntries(
  TRAFFIC_BOUND_KEYS.map((key) => [key, TABLE[key].default]),
) as unknown as TrafficBounds;
