/** What the instances of a deployment wrote, kept longer than the instances themselves. */
import type { DeploymentId, InstanceId } from '../core/model.ts';

export interface LogLine {
  readonly instanceId: InstanceId;
  /** ms since the epoch. */
  readonly at: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface LogQuery {
  /** Only the newest `tail` lines. */
  readonly tail?: number;
  /** Only lines at or after this time, ms since the epoch. */
  readonly since?: number;
  readonly instanceId?: InstanceId;
}

export interface Logs {
  /** Where the engine is to write the output of an instance. Makes the folder. */
  fileFor(deploymentId: DeploymentId, instanceId: InstanceId): Promise<string>;
  /** Lines in order of time. */
  read(deploymentId: DeploymentId, query: LogQuery): Promise<readonly LogLine[]>;
  /** What `read` gives, then new lines as they are written, until `signal` aborts. */
  follow(
    deploymentId: DeploymentId,
    query: LogQuery,
    onLine: (line: LogLine) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes the oldest files of ended instances beyond what is worth keeping; those of `keep` are never touched. */
  prune(deploymentId: DeploymentId, keep: Iterable<InstanceId>): Promise<void>;
  /** Removes the logs of a deployment that was removed. */
  remove(deploymentId: DeploymentId): Promise<void>;
}
