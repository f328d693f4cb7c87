/** The words of Berth as plain read-only data: everything else speaks in these shapes. */
import type { WakeRules } from './wake.ts';

/** `<project>-<8 chars>`: the first label of the deployment's own hostname. */
export type DeploymentId = string;
/** `<deployment>.<6 chars>`, chosen by the scheduler before the engine is asked for anything. */
export type InstanceId = string;

/** What one instance may use: `c<cpus>-m<MiB>`. */
export interface Slot {
  /** CPU share in cores, for example 0.125. */
  readonly cpus: number;
  /** Hard memory limit in MiB; swap is not added to it. */
  readonly memoryMiB: number;
}

export interface Limits {
  /** Leases per instance, 1–256. */
  readonly maxConcurrentReqs: number;
  /** Longest request, and the running age at which an instance is recycled, in ms. */
  readonly durationMs: number;
  /** Time without a lease before an instance leaves `running`, in ms. */
  readonly timeoutMs: number;
}

/** How many instances an environment keeps: never below `min`, never above `max`. */
export interface Scale {
  readonly min: number;
  readonly max: number;
}

/** What an instance without a lease does after `timeout`: rest frozen, be stopped, or keep running. */
export type IdleRest = 'freeze' | 'stop' | 'run';

/** What an app speaks: HTTP/1.1, or HTTP/2 without TLS and by prior knowledge. */
export type AppProtocol = 'http1' | 'h2c';

/** Everything besides the source that makes a deployment what it is; part of its identity. */
export interface Configuration {
  readonly slot: Slot;
  readonly limits: Limits;
  readonly scale: Scale;
  readonly idle: IdleRest;
  /** Variables of the running app. */
  readonly env: Readonly<Record<string, string>>;
  /** Build arguments (`ARG`). */
  readonly buildEnv: Readonly<Record<string, string>>;
  /** Path of the Dockerfile inside the folder; absent means `Dockerfile`, or a recognised kind of folder. */
  readonly dockerfile?: string;
  /** Preferred port and value of `PORT`; absent means 8080 is offered and any port is accepted. */
  readonly port?: number;
  /** Absent means HTTP/1.1. */
  readonly protocol?: AppProtocol;
  /** Which requests may wake or start an instance; absent means all. */
  readonly wake?: WakeRules;
  /** Path that must answer 2xx or 3xx before a new deployment counts as verified. */
  readonly healthPath?: string;
  /** Replaces the image's command. */
  readonly command?: readonly string[];
}

/** Where the image of a deployment comes from. */
export type Source =
  | {
      readonly kind: 'folder';
      /** sha256 (hex) of the canonical manifest; the manifest itself is a blob of that name. */
      readonly manifest: string;
      readonly files: number;
      readonly bytes: number;
    }
  | { readonly kind: 'image'; readonly reference: string };

/** `building → verifying → ready`, or `failed` from either. */
export type DeploymentState = 'building' | 'verifying' | 'ready' | 'failed';

/** Why a deployment failed: a code of the catalogue with its sentence. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
}

export interface Image {
  /** `sha256:…` of the image configuration: what the engine starts. */
  readonly id: string;
  readonly bytes: number;
  /** Layers, biggest first. */
  readonly layers: readonly { readonly bytes: number; readonly createdBy: string }[];
  /** Ports named by EXPOSE: a hint for which of several listening ports to prefer. */
  readonly exposedPorts: readonly number[];
}

export interface Deployment {
  readonly id: DeploymentId;
  readonly project: string;
  readonly source: Source;
  readonly configuration: Configuration;
  readonly state: DeploymentState;
  readonly image?: Image;
  readonly failure?: Failure;
  /** Versions of the secrets that its variables name; part of its identity. Absent: it names none. */
  readonly secrets?: SecretVersions;
  /** The deployment whose image this one runs with the settings of an environment. */
  readonly derivedFrom?: DeploymentId;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly readyAt?: number;
}

/** Secret name → version, 1, 2, 3, … */
export type SecretVersions = Readonly<Record<string, number>>;

/** `production`, `staging`, `preview/<branch>`, or another name of the same form. */
export type EnvironmentName = string;

/** What belongs to an environment and not to what it runs; each release keeps a copy. */
export interface EnvironmentSettings {
  /** Laid over the variables of the deployment. `@name` stands for a secret of the team. */
  readonly variables: Readonly<Record<string, string>>;
  /** Laid over the limits of the deployment. */
  readonly limits: Partial<Limits>;
  /** Absent: what the deployment's own configuration says, never fewer than none. */
  readonly scale?: Scale;
}

/** A movable pointer of a project: one release of its history takes the traffic. */
export interface Environment {
  readonly project: string;
  readonly name: EnvironmentName;
  /** Number of the release that takes the traffic; absent until the first. */
  readonly current?: number;
  /** Highest number given so far, 0 for none: numbers are never used twice. */
  readonly latest: number;
  readonly settings: EnvironmentSettings;
  /** Present after a rollback, until the next explicit release: automatic deploys wait. */
  readonly pausedBecause?: string;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** What a release changed. */
export type ReleaseKind =
  | 'deploy'
  | 'promote'
  | 'rollback'
  | 'variables'
  | 'secrets'
  | 'scale'
  | 'limits'
  | 'hostnames';

/** `preparing → trial → current → superseded`, without `trial` unless only a share is sent there; `failed` from the first two. */
export type ReleaseState = 'preparing' | 'trial' | 'current' | 'superseded' | 'failed';

/** One numbered entry of an environment's history. */
export interface Release {
  readonly project: string;
  readonly environment: EnvironmentName;
  /** 1, 2, 3, …; shown as `v1`. */
  readonly number: number;
  readonly kind: ReleaseKind;
  readonly state: ReleaseState;
  /** What was deployed or promoted: its image is what runs. */
  readonly baseId: DeploymentId;
  /** What runs: the base with the settings of the environment; the same when they change nothing. */
  readonly deploymentId: DeploymentId;
  readonly settings: EnvironmentSettings;
  readonly secrets: SecretVersions;
  /** Share of clients sent to it while it is on trial, in percent. */
  readonly percent?: number;
  /** In words: what was done and why, and why it failed if it did. */
  readonly because: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A hostname, and perhaps a path prefix of it, that leads somewhere. */
export interface Alias {
  /** Lower case; `*.example.com` for every name one label below. */
  readonly hostname: string;
  /** `/` for the whole hostname; otherwise `/api`, without a slash at its end. The longest that fits wins. */
  readonly path: string;
  readonly target:
    | {
        readonly kind: 'environment';
        readonly project: string;
        readonly environment: EnvironmentName;
      }
    | { readonly kind: 'deployment'; readonly deploymentId: DeploymentId };
  /** The team it belongs to. */
  readonly team: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A line of the audit log: who changed what. Never with values of variables or secrets. */
export interface AuditEntry {
  /** ms since the epoch. */
  readonly at: number;
  /** Who: the name of a token, or `local`. */
  readonly actor: string;
  /** Noun and verb: `release.created`, `secret.rotated`, `deployment.removed`. */
  readonly action: string;
  /** What it was done to: `shop/production v7`. */
  readonly subject: string;
  readonly team: string;
  /** Further facts in words. */
  readonly detail: string;
  /** Absent: it belongs to no project. */
  readonly project?: string;
  /** Code of the error when it was refused or failed; absent: it was done. */
  readonly failure?: string;
  /** Id of the token that was used; absent for the local one, and for what Berth did by itself. */
  readonly token?: string;
  /** Address that asked; absent for what Berth did by itself. */
  readonly address?: string;
}

/** What a person is told an instance is doing. */
export type InstanceState =
  | 'parked'
  | 'booting'
  | 'ready'
  | 'busy'
  | 'frozen'
  | 'reclaimed'
  | 'draining'
  | 'stopped';

/** How the instance that served a request came to be ready for it. */
export type StartKind = 'warm' | 'thawed' | 'parked' | 'cold';

/** An instance as lists show it. */
export interface InstanceView {
  readonly id: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly state: InstanceState;
  readonly inFlight: number;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** Time spent running so far, frozen time excluded, in ms. */
  readonly runningMs: number;
  readonly restarts?: number;
  /** `host:port` when known. */
  readonly address?: string;
  /** Until when it is busy by its own word, ms since the epoch; absent: it is not. */
  readonly busyUntil?: number;
  /** What the last decision about this instance was, and why. */
  readonly because: string;
}

/** A file of an upload. Paths are relative, `/`-separated and normalised. */
export type ManifestEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Unix permission bits, 0o000–0o777. */
      readonly mode: number;
      readonly bytes: number;
      /** Hex. */
      readonly sha256: string;
    }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number };

/** Entries sorted by path in code unit order. */
export type Manifest = readonly ManifestEntry[];

/** How much Berth had on the disk at a moment. */
export interface DiskSample {
  /** ms since the epoch. */
  readonly at: number;
  readonly usedBytes: number;
}

/** Something Berth made on the host, written down as soon as it has a name: only these are ever removed. */
export interface LedgerEntry {
  /** `layer`: an image between the steps of a build, kept for the next one. */
  readonly kind: 'container' | 'image' | 'layer' | 'network';
  /** Instance id, image id (`sha256:…`) or network name. */
  readonly id: string;
  /** Of a layer: the last deployment whose build used it. */
  readonly deploymentId?: DeploymentId;
  /** Whose network it is. */
  readonly project?: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** When a build last used the layer, ms since the epoch. */
  readonly usedAt?: number;
}
