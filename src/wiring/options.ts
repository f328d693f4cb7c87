/** What a server can be told, and what it gives back. */
import type { CleanupRules } from '../core/gc.ts';
import type { TrafficBounds } from '../core/traffic-bounds.ts';
import type { Rate } from '../core/token-bucket.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { AcmeSettings } from '../tls/open.ts';

export interface ServerOptions {
  /** Data folder; made when it is not there. */
  readonly data: string;
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** What deployments' hostnames end in. */
  readonly domain: string;
  readonly engine: 'podman' | 'memory';
  /** Memory that sleeping instances may hold; absent means a quarter of the host's. */
  readonly memoryBudgetMiB?: number;
  readonly buildTimeoutMs?: number;
  /** What images, build cache, logs and blobs may take; absent means a share of the disk. */
  readonly diskBudgetBytes?: number;
  /** What clean-up keeps, and for how long. */
  readonly cleanup?: Partial<CleanupRules>;
  /** Where Podman keeps images; absent means Podman's own default. */
  readonly storage?: string;
  /** Absent: plain HTTP only. */
  readonly tls?: TlsListening;
  /** Absent: JSON lines on stdout. */
  readonly reporter?: Reporter;
  /** False: no line for each request. */
  readonly hasAccessLog?: boolean;
  /** Addresses and CIDR ranges of proxies whose word on who asked is believed; absent: nobody's. */
  readonly trustedProxies?: readonly string[];
  /** What clients may send, and how long things may last; the rest has its defaults. */
  readonly trafficBounds?: Partial<TrafficBounds>;
  /** `GET /metrics` answers without a token. */
  readonly hasOpenMetrics?: boolean;
  /** Deploys of one team, and of one token. */
  readonly deployRate?: Rate;
}

export interface TlsListening {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Sends plain requests for deployments to https. */
  readonly redirects?: boolean;
  /** For `strict-transport-security`, in seconds; absent: not sent. */
  readonly hstsSeconds?: number;
  /** Absent: no automatic certificates. */
  readonly acme?: AcmeSettings;
}

export interface RunningServer {
  /** `host:port` as it is bound. */
  readonly address: string;
  /** The same of TLS; undefined without it. */
  readonly tlsAddress: string | undefined;
  /**
   * Requests in flight may end. Instances stay as they are, for the next server to take over; `removeInstances` drains
   * and removes them, and the next server starts from the images.
   */
  close(options?: { readonly removeInstances?: boolean }): Promise<void>;
}
