/** What clean-up needs from the rest of Berth, handed in by the wiring. */
import type { DiskSpace } from '../core/disk.ts';
import type { CleanupRules } from '../core/gc.ts';
import type { Alias, Deployment, DeploymentId } from '../core/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Logs } from '../ports/logs.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Store } from '../ports/store.ts';

/** What the deploys say and do for clean-up. */
export interface DeploysUnderWay {
  /** Deployments that are worked on right now. */
  underWay(): ReadonlySet<DeploymentId>;
  isBuilding(): boolean;
  /** Does the work while no build runs and none can begin; false, with nothing done, when one runs. */
  whileNoBuild(work: () => Promise<void>): Promise<boolean>;
  /** The deployment with its instances, logs and output, but not what others may use as well. */
  removeRow(deployment: Deployment): Promise<void>;
  /** The folder of a build that no deployment has. */
  discardBuild(id: DeploymentId): Promise<void>;
}

export interface Blobs {
  readonly count: number;
  readonly bytes: number;
}

export interface CleanupNeeds {
  readonly store: Store;
  readonly engine: Engine;
  readonly fleet: Pick<Fleet, 'instances'>;
  readonly logs: Pick<Logs, 'remove'>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly deploys: DeploysUnderWay;
  /** With its history and its hostname; refused when something else needs it. */
  readonly removeEnvironment: (project: string, name: string) => Promise<void>;
  /** Hears of every deployment that was removed because its time is over, for the audit log. */
  readonly onExpired: (deployment: Deployment, because: string) => Promise<void>;
  readonly aliases: () => Promise<readonly Alias[]>;
  /** Blobs that none of these manifests has and no upload used lately; removed, unless it is only asked. */
  readonly sweepBlobs: (manifests: readonly string[], isDryRun: boolean) => Promise<Blobs>;
  readonly rules: CleanupRules;
  /** Of the file systems that Berth writes to; the first is the one of images. */
  readonly fileSystems: () => Promise<readonly DiskSpace[]>;
  /** Absent: a share of the file system of images. */
  readonly budgetBytes: number | undefined;
  readonly folders: {
    readonly logs: string;
    readonly builds: string;
    readonly blobs: string;
  };
  /** In the data folder; takes room that clean-up gives away when there is no other. */
  readonly reserveFile: string;
  /** The file of the database and those that belong to it. */
  readonly databaseFiles: readonly string[];
}
