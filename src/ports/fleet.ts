/**
 * All instances of all deployments, as the router, the deploys and the API see them. Implemented by the scheduler:
 * the one owner of leases.
 */
import type { BerthError } from '../core/errors.ts';
import type {
  Deployment,
  DeploymentId,
  InstanceId,
  InstanceView,
  Scale,
  StartKind,
} from '../core/model.ts';
import type { Sent } from '../core/unread.ts';

/** How a lease ended: `refused` means the connection was refused or reset before anything was delivered. */
export type LeaseEnd = 'done' | 'refused' | 'died';

/** One unit of one instance's concurrency, held for as long as one request or WebSocket lasts. */
export interface Lease {
  readonly instanceId: InstanceId;
  readonly host: string;
  readonly port: number;
  readonly start: StartKind;
  /** Where the time before dispatch went, in ms: in the room, until exec, until the port was found. */
  readonly waitMs: number;
  readonly bootMs: number;
  readonly portMs: number;
  /** Aborts when the instance ended or must be left now; the request has to be ended. */
  readonly lost: AbortSignal;
  /** Gives the means to ask what was sent so far: asked before an instance is ended that does not end by itself. */
  follow?(sent: () => Sent | undefined): void;
  /** Known when `lost` aborts: it is proven that the app read nothing of the request, and it never will. */
  isUnread?(): boolean;
  /** Exactly once; later calls do nothing. */
  end(how: LeaseEnd): void;
}

export type Acquired =
  | { readonly kind: 'leased'; readonly lease: Lease }
  | { readonly kind: 'refused'; readonly error: BerthError }
  /** The signal aborted first. */
  | { readonly kind: 'cancelled' };

/** What came of an instance's saying that it is busy. */
export type BusySaid =
  /** It stays awake until then, ms since the epoch; `isCut`: less long than it asked for. */
  | { readonly kind: 'granted'; readonly until: number; readonly isCut: boolean }
  | { readonly kind: 'unreadable' }
  /** There is no such instance, or it does not run. */
  | { readonly kind: 'unknown' };

export interface Verified {
  readonly bootMs: number;
  readonly port: number;
}

export interface Fleet {
  /**
   * A lease on a ready instance, in strict order of arrival. Unknown deployments are refused with NOT_FOUND. Without
   * `mayWake` (true by default) it gets a free lease or is refused with ASLEEP at once: it never waits, so it never
   * wakes or starts an instance.
   */
  acquire(deploymentId: DeploymentId, signal: AbortSignal, mayWake?: boolean): Promise<Acquired>;
  /** Boots one instance of a new deployment, looks at its health path, and leaves it at rest. Throws BOOT_FAILED, NO_PORT, … with the last log lines. */
  verify(deployment: Deployment): Promise<Verified>;
  /** Makes a verified deployment known so that requests find it. */
  add(deployment: Deployment): void;
  /** Unroutes, drains and removes every instance; then the deployment is unknown. */
  remove(deploymentId: DeploymentId): Promise<void>;
  instances(deploymentId?: DeploymentId): readonly InstanceView[];
  /**
   * An instance says in its own words (`10m`, `600`, `0`) for how long it works in the background. It holds at once;
   * the promise resolves when a restart of Berth would not forget it any more.
   */
  sayBusy(instanceId: InstanceId, said: string): Promise<BusySaid>;
  /** The instance with this IP address, whatever it does just now. */
  instanceAt(host: string): { readonly id: InstanceId; readonly project: string } | undefined;
  /** The latest scale decision in words, for inspect. */
  because(deploymentId: DeploymentId): string | undefined;
}

/** How many instances environments want of what they run. Implemented by the scheduler too. */
export interface Scaling {
  /**
   * What environments ask for of a deployment: so many are kept ready, from now on and after `add`. Undefined: none runs
   * it, so that it keeps none awake and may grow as its configuration says.
   */
  setScale(deploymentId: DeploymentId, scale: Scale | undefined): void;
  /**
   * Resolves when `count` instances of a deployment that was added are ready, or as many as it may have. They stay so
   * until what it resolves with is called. Throws as `verify` when starts fail, SHUTTING_DOWN when `signal` aborts first,
   * DEPLOYMENT_NOT_FOUND.
   */
  prepare(deploymentId: DeploymentId, count: number, signal: AbortSignal): Promise<() => void>;
}
