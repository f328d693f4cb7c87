/** What the API needs from the rest of Berth, handed in by the wiring. */
import type { Access } from '../access/open.ts';
import type { Backups } from '../backup/open.ts';
import type { Cleanup } from '../cleanup/open.ts';
import type { Aliases } from '../aliases/open.ts';
import type { Blobs } from '../deploys/blobs.ts';
import type { Deployer } from '../deploys/deployer.ts';
import type { Folders } from '../deploys/folders.ts';
import type { AuditEntry, DeploymentId, EnvironmentName } from '../core/model.ts';
import type { Quotas } from '../core/quota.ts';
import type { Clock } from '../ports/clock.ts';
import type { EngineDescription } from '../ports/engine.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Logs } from '../ports/logs.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Store } from '../ports/store.ts';
import type { Releases } from '../releases/releases.ts';
import type { Keeper } from '../secrets/keeper.ts';
import type { Certificates } from '../tls/certificates.ts';

/** What is fixed for the life of a server. */
export interface ServerFacts {
  readonly version: string;
  readonly pid: number;
  /** `host:port` of the listener. */
  readonly listen: string;
  /** The same of TLS; undefined without it. */
  readonly listenTls: string | undefined;
  readonly domain: string;
  readonly dataFolder: string;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly engine: EngineDescription;
  readonly cores: number;
  readonly memoryMiB: number;
}

/** How late the thread that serves requests was, in ms. */
export interface EventLoopLag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Figures for Prometheus. */
export interface ApiMetrics {
  scrape(): Promise<string>;
  readonly contentType: string;
}

export interface ApiNeeds {
  /** Addresses and ranges of proxies that are believed on who asks; absent: none. */
  readonly trustedProxies?: readonly string[];
  readonly access: Access;
  readonly aliases: Aliases;
  readonly backups: Backups;
  readonly quotas: Quotas;
  readonly facts: () => ServerFacts;
  readonly eventLoopLag: () => EventLoopLag;
  readonly metrics: ApiMetrics;
  /** They are answered without a token. They name deployments, so that is for the operator to say. */
  readonly areMetricsOpen: boolean;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly folders: Folders;
  readonly deployer: Deployer;
  readonly releases: Releases;
  readonly fleet: Fleet;
  readonly logs: Logs;
  readonly certificates: Certificates;
  readonly cleanup: Cleanup;
  readonly secrets: Keeper;
  readonly clock: Clock;
  /**
   * Adds a line to the audit log. Routes need not call it: they declare `config: { action }` and say what it is done to
   * with `audited(request, …)`; the line is written with the answer. For what happens without a request.
   */
  readonly audit: (entry: AuditEntry) => Promise<void>;
  /** The deployment's own address, for ever. */
  readonly urlOf: (id: DeploymentId) => string;
  /** Of any hostname that leads here, without a slash at the end. */
  readonly urlOfHost: (hostname: string) => string;
  /** What answers at the root of this hostname now. */
  readonly deploymentAt: (hostname: string) => DeploymentId | undefined;
  /** The address of an environment, whatever it runs. */
  readonly urlOfEnvironment: (project: string, name: EnvironmentName) => string;
  /** Aborts when the server stops: streams end then. */
  readonly closing: AbortSignal;
  readonly nextRequestId: () => string;
  readonly reporter: Reporter;
}
