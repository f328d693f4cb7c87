/**
 * Environments and their releases, as the store keeps them: the history, and the pointer that says which takes the
 * traffic. Pointer, states and settings only ever move together, in one transaction.
 */
import type {
  DeploymentId,
  Environment,
  EnvironmentName,
  EnvironmentSettings,
  Release,
} from '../core/model.ts';
import type { SeenRelease } from '../core/reach.ts';

/** A release before it has a number. */
export type ReleaseDraft = Omit<Release, 'number' | 'state'>;

export interface ReleaseQuery {
  readonly project: string;
  /** Absent: of all environments of the project. */
  readonly environment?: EnvironmentName;
  /** At most so many. */
  readonly limit?: number;
  /** Only those with a lower number; for an environment. */
  readonly before?: number;
}

/** A release on trial that another one takes the place of. */
export interface GivingWay {
  readonly number: number;
  /** Its new `because`. */
  readonly because: string;
}

/** How far back people may roll. */
export interface Reach {
  /** So many releases of every environment, the newest that took traffic, the current one included. */
  readonly releases: number;
  /** And whatever took traffic in production at or after this time, ms since the epoch. */
  readonly productionSince: number;
}

export interface ReleaseStore {
  /** By project and name. */
  environments(filter?: { readonly project?: string }): Promise<readonly Environment[]>;
  environment(project: string, name: EnvironmentName): Promise<Environment | undefined>;
  /** Makes it without any release, unless it is there; the one that stands afterwards. */
  ensureEnvironment(
    project: string,
    name: EnvironmentName,
    createdAt: number,
  ): Promise<Environment>;
  /** Removes it with its whole history. Unknown: succeeds. */
  deleteEnvironment(project: string, name: EnvironmentName): Promise<void>;
  /** Settings of an environment that runs nothing yet; false when it is not there or has a current release. */
  setInitialSettings(
    project: string,
    name: EnvironmentName,
    settings: EnvironmentSettings,
  ): Promise<boolean>;
  /** With a reason, automatic deploys wait; without one, they do not any more. */
  pauseEnvironment(
    project: string,
    name: EnvironmentName,
    because: string | undefined,
  ): Promise<void>;

  /** Writes it as `preparing` under the next number of its environment, which is made when it is not there. */
  beginRelease(draft: ReleaseDraft): Promise<Release>;
  /**
   * All in one: this release becomes `current`, the one that was `superseded`, and the environment points at it and takes
   * its settings; what gives way to it becomes `failed`, when it is still on `trial`. Automatic deploys pause because of
   * `pausedBecause`, or go on when it is absent. False, with nothing changed, when the release is neither `preparing` nor
   * on `trial`.
   */
  switchTo(
    release: Pick<Release, 'project' | 'environment' | 'number'>,
    pausedBecause?: string,
    givingWay?: GivingWay,
  ): Promise<boolean>;
  /**
   * `preparing → trial`: `percent` of the clients are sent to it. What gives way becomes `failed` with it. False, with
   * nothing changed, when it was not `preparing`.
   */
  beginTrial(
    release: Pick<Release, 'project' | 'environment' | 'number'>,
    percent: number,
    givingWay?: GivingWay,
  ): Promise<boolean>;
  /** `preparing | trial → failed`, with its new `because`. False when it was neither. */
  failRelease(
    release: Pick<Release, 'project' | 'environment' | 'number'>,
    because: string,
  ): Promise<boolean>;
  release(
    project: string,
    environment: EnvironmentName,
    number: number,
  ): Promise<Release | undefined>;
  /** Newest first. */
  releases(query: ReleaseQuery): Promise<readonly Release[]>;
  /** What clean-up decides by, a page at a time; of one project or of all, of every release or of the current ones. */
  releaseOutlines(filter?: {
    readonly project?: string;
    readonly isCurrent?: boolean;
  }): AsyncIterable<readonly SeenRelease[]>;
  /** Those that take traffic now, one for each environment that has any. */
  currentReleases(filter?: { readonly project?: string }): Promise<readonly Release[]>;
  /** `preparing` or on `trial`. */
  unfinishedReleases(): Promise<readonly Release[]>;
  /** Every release that runs this deployment or is based on it, newest first. */
  releasesOf(deploymentId: DeploymentId): Promise<readonly Release[]>;
  /** What releases within reach, and unfinished ones, run or are based on. */
  deploymentsInReach(reach: Reach): Promise<ReadonlySet<DeploymentId>>;
}
