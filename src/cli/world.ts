/** What a command is given of the world outside: streams, time, the host and the server, handed in by main.ts. */
import type { CleanupRules } from '../core/gc.ts';
import type { HostFacts } from '../core/host.ts';
import type { Rate } from '../core/token-bucket.ts';
import type { TrafficBounds } from '../core/traffic-bounds.ts';
import type { Clock } from '../ports/clock.ts';

/** A stream that text goes to: stdout or stderr. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Everything `berth serve` can be told. */
export interface ServeOptions {
  readonly data: string;
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** What deployments' hostnames end in. */
  readonly domain: string;
  readonly engine: 'podman' | 'memory';
  /** Memory that sleeping instances may hold; absent means a share of the host's. */
  readonly memoryBudgetMiB?: number;
  readonly buildTimeoutMs?: number;
  /** What images, build cache, logs and blobs may take; absent means a share of the disk. */
  readonly diskBudgetBytes?: number;
  /** Deploys of one team, and of one token; absent: the server's own. */
  readonly deployRate?: Rate;
  /** What clean-up keeps, and for how long, where it was said. */
  readonly cleanup?: Partial<CleanupRules>;
  /** Where Podman keeps images; absent means Podman's own default. */
  readonly storage?: string;
  /** Absent: plain HTTP only. */
  readonly tls?: TlsServeOptions;
  /** False: no line of the log for each request. */
  readonly hasAccessLog?: boolean;
  /** Addresses and CIDR ranges of proxies whose word on who asked is believed; absent: nobody's. */
  readonly trustedProxies?: readonly string[];
  /** What clients may send, and how long things may last, where it was said. */
  readonly trafficBounds?: Partial<TrafficBounds>;
  /** `GET /metrics` answers without a token. */
  readonly hasOpenMetrics?: boolean;
}

export interface TlsServeOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Sends plain requests for deployments to https. */
  readonly redirects?: boolean;
  /** For `strict-transport-security`, in seconds. */
  readonly hstsSeconds?: number;
  /** Automatic certificates; `directory` absent means Let's Encrypt's, `trusted` is PEM. */
  readonly acme?: {
    readonly email: string;
    readonly directory?: string;
    readonly trusted?: string;
  };
}

export interface RestoreOptions {
  readonly file: string;
  readonly passphrase: string;
  readonly data: string;
  readonly engine: 'podman' | 'memory';
  /** Where Podman keeps images; absent means Podman's own default. */
  readonly storage?: string;
  readonly tell: (step: 'checking' | 'files' | 'images') => void;
}

export interface Restored {
  /** ISO 8601: when the backup was made. */
  readonly createdAt: string;
  readonly version: string;
  readonly files: number;
  readonly bytes: number;
  readonly deployments: number;
  readonly images: number;
  /** Ready deployments whose image is not here. */
  readonly withoutImage: readonly string[];
}

export interface HostQuestions {
  readonly dataFolder: string;
  readonly storageFolder: string;
  readonly listen: string;
  readonly isBerthListening: boolean;
}

/** SIGTERM stops a server, SIGUSR2 stops it and removes its instances, SIGKILL ends it. */
export type StopSignal = 'SIGTERM' | 'SIGUSR2' | 'SIGKILL';

/** Processes that outlive this one. */
export interface Background {
  /** Starts `berth …` detached from the terminal, its output appended to `logFile`; resolves with its id. */
  start(args: readonly string[], logFile: string): Promise<number>;
  /** Whether a process runs `berth serve`. */
  isServer(processId: number): boolean;
  /** True when there was such a process. */
  signal(processId: number, signal: StopSignal): boolean;
}

export interface World {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Whether a person can answer a question. */
  readonly canAsk: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard input to its end. */
  readInput(): Promise<Uint8Array>;
  /** The folder that relative paths start from. */
  readonly folder: string;
  readonly version: string;
  readonly isRoot: boolean;
  readonly homeFolder: string;
  readonly clock: Clock;
  /** Aborts on ctrl-C and SIGTERM. */
  readonly interrupted: AbortSignal;
  readonly background: Background;
  /**
   * Puts a certificate (PEM) where the programs of this machine look for authorities, as a file of this name; the
   * path of the file. Throws HOST_UNSUPPORTED.
   */
  trustCertificate(certificate: string, fileName: string): Promise<string>;
  readHost(questions: HostQuestions): Promise<HostFacts>;
  /** Adds compressed swap, noted in a file; its device. Throws ZRAM_IMPOSSIBLE. */
  setUpZram(noteFile: string, bytes: number): Promise<string>;
  /** Takes it away again; its device, or undefined when none is noted. Throws ZRAM_IMPOSSIBLE. */
  undoZram(noteFile: string): Promise<string | undefined>;
  /** Bytes to standard output; resolves when there is room for more. */
  writeOutput(bytes: Uint8Array): Promise<void>;
  /** Fills an empty data folder from a backup, without a server. */
  restore(options: RestoreOptions): Promise<Restored>;
  /** Runs the server until `interrupted` aborts and everything is closed. */
  serve(options: ServeOptions): Promise<void>;
}
