/**
 * What runs containers. One instance = one container. The domain owns this port; drivers import it.
 *
 * Contract (proved for every driver by `engines/engine.contract.ts`):
 * - Verbs are idempotent: doing again what is already so succeeds; `stop` and `remove` of something unknown succeed.
 * - Failures are `BerthError`s with `ENGINE_UNAVAILABLE` (no answer) or `ENGINE_FAILED` (it refused), never raw ones;
 *   `create` on an unknown image fails with `IMAGE_NOT_FOUND`.
 * - A driver touches only what carries its own ledger label; everything else on the host is invisible to it.
 * - `watch` reconnects by itself; after each (re)connection it reports `{ kind: 'resync' }`, and the caller pairs
 *   that with `list()` for what it missed.
 * - Calls may run in parallel; the driver caps them itself.
 */
import type { DeploymentId, Image, InstanceId, Slot } from '../core/model.ts';
import type { PeerConnection } from '../core/unread.ts';

/** Optional powers are declared, not guessed. */
export interface EnginePowers {
  /** Containers can be created to the last step and started later by exec alone. */
  readonly park: boolean;
  readonly freeze: boolean;
  /** The CPU quota can be applied after the boot. */
  readonly boost: boolean;
  /** Listening ports can be read from outside. */
  readonly portDiscovery: boolean;
}

export interface InstanceSpec {
  readonly id: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly project: string;
  readonly imageId: string;
  readonly slot: Slot;
  readonly env: Readonly<Record<string, string>>;
  /** Variables whose values nobody but the process may see: no file, no list, no inspection. Absent: none. */
  readonly secretEnv?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** File that receives stdout and stderr in k8s-file form (`logs/format.ts`); outlives the container. */
  readonly logFile: string;
}

/** `created`: exists. `parked`: all set up but not executed. `exited`: ran and ended. */
export type EngineState = 'created' | 'parked' | 'running' | 'frozen' | 'exited';

export interface Exit {
  /** 0–255; 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly outOfMemory: boolean;
}

export interface EngineInstance {
  readonly id: InstanceId;
  readonly deploymentId: DeploymentId;
  readonly state: EngineState;
  /** IP address, known from `parked` on. */
  readonly host?: string;
  readonly exit?: Exit;
}

/** One socket an instance listens on. */
export interface ListeningPort {
  readonly port: number;
  /** Bound to 127.0.0.0/8 or ::1 only, so not reachable from outside the instance. */
  readonly loopbackOnly: boolean;
}

/** What `look` sees in a booting instance. */
export type Look =
  | { readonly kind: 'listening'; readonly ports: readonly ListeningPort[] }
  | { readonly kind: 'exited'; readonly exit: Exit };

export type EngineEvent =
  | { readonly kind: 'exited'; readonly id: InstanceId; readonly exit: Exit }
  | { readonly kind: 'removed'; readonly id: InstanceId }
  | { readonly kind: 'resync' };

export interface EngineDescription {
  readonly name: string;
  readonly version: string;
  /** OCI runtime and version, for example `runc 1.1.5`. */
  readonly runtime: string;
  readonly cgroupVersion: 1 | 2;
}

/** An image as the engine keeps it. */
export interface StoredImage {
  /** `sha256:…` */
  readonly id: string;
  /** The image of which it is the next step. */
  readonly parentId?: string;
  /** It carries our ledger label. So does what others made from such an image: the ledger has to name it too. */
  readonly isOurs: boolean;
  /** From the lowest; those with the same id are on the disk once, however many images have them. */
  readonly layers: readonly { readonly id: string; readonly bytes: number }[];
}

/** A program of the engine's own, for streams that are not to pass through the thread that serves requests. */
export interface EngineProgram {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Engine {
  readonly powers: EnginePowers;
  describe(): Promise<EngineDescription>;

  /** Makes the container, and the project's network when it is the first. The result is `created`. */
  create(spec: InstanceSpec): Promise<EngineInstance>;
  /** `created → parked`: namespaces, mounts, network and cgroup, but no exec. */
  park(id: InstanceId): Promise<EngineInstance>;
  /** `created | parked → running`. Resolves when the process was told to run; its ports may take longer. Full CPU until `limitCpu`. */
  start(id: InstanceId): Promise<EngineInstance>;
  /** What an instance that was started listens on now. Cheap: called every millisecond while booting, also while `start` is under way. */
  look(id: InstanceId): Promise<Look>;
  /** Applies the CPU quota of the slot (ends the boot boost). */
  limitCpu(id: InstanceId): Promise<void>;
  /** `running → frozen`. Resolves when every process is stopped. */
  freeze(id: InstanceId): Promise<void>;
  /** `frozen → running`. */
  thaw(id: InstanceId): Promise<void>;
  /** Pushes the pages of a frozen instance out to swap; absent: the driver cannot. Nothing to push is no failure. */
  reclaim?(id: InstanceId): Promise<void>;
  /** Whether somebody froze what runs, us or another; absent: the driver cannot tell. Some 0.1 ms. */
  isFrozen?(id: InstanceId): Promise<boolean>;
  /**
   * Connections that stand between others and the instance, seen from its end; absent: the driver cannot see them. Proof of
   * anything only while it is frozen, and until it runs again.
   */
  connections?(id: InstanceId): Promise<readonly PeerConnection[]>;
  /**
   * SIGTERM, `graceMs`, SIGKILL; thaws first. With 0 it is killed at once, and a frozen one runs no further instruction: it
   * would read what waits in its sockets, even after their other ends reset them. Resolves when it has ended. A parked one
   * just ends.
   */
  stop(id: InstanceId, graceMs: number): Promise<Exit>;
  /** Removes the container, killing it if need be. The log file stays. */
  remove(id: InstanceId): Promise<void>;

  /** Everything with our ledger label. */
  list(): Promise<readonly EngineInstance[]>;
  /** Until `signal` aborts. */
  watch(onEvent: (event: EngineEvent) => void, signal: AbortSignal): Promise<void>;
  /** Memory of the host held now in bytes, compressed pages included, for those that exist. */
  memory(ids: readonly InstanceId[]): Promise<ReadonlyMap<InstanceId, number>>;

  /** An image by reference or id, pulled when it is not there; `IMAGE_NOT_FOUND` otherwise. */
  image(reference: string): Promise<Image>;
  /** Whether an image is there, without looking into it: quick enough to be asked before every switch. Nothing is pulled. */
  hasImage(imageId: string): Promise<boolean>;
  /** Every image of the engine's store, other people's as well: to be looked at and counted, not to be touched. */
  images(): Promise<readonly StoredImage[]>;
  /**
   * Removes this image, and none that it stands on, if it carries our ledger label and neither a container nor another
   * image needs it; whether it is gone now. Unknown: it is.
   */
  removeImage(imageId: string): Promise<boolean>;
  /**
   * Programs that write archives of these images to their standard output, in each every layer once; images made of them
   * have the same ids. Ids that are not there are left out. Absent: it has no images that could be carried away.
   */
  imageExports?(imageIds: readonly string[]): Promise<readonly EngineProgram[]>;
  /** The program that makes images of such an archive on its standard input. */
  imageImport?(): EngineProgram;
  /** IP address at which instances of the project reach this host, known before the first one; absent: they cannot. */
  hostAddress?(project: string): Promise<string | undefined>;
  /** Removes the network of a project if it is ours and empty. */
  removeNetwork(project: string): Promise<void>;
  close(): Promise<void>;
}
