/** The logs of all instances in one folder, as the engines write them. */
import { mkdir, rm } from 'node:fs/promises';
import type { DeploymentId } from '../core/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logs } from '../ports/logs.ts';
import { deploymentFolder, instanceFile, named } from './files.ts';
import { followLogs } from './follow.ts';
import { DEFAULT_RETENTION, pruneLogs, type Retention } from './prune.ts';
import { readLogs } from './read.ts';
import { type WatchFolder, watchFolder } from './watch.ts';

export interface LogsOptions {
  /** Made when it is needed. */
  readonly folder: string;
  readonly clock: Clock;
  /** How to hear of changes; by the operating system unless given. */
  readonly watch?: WatchFolder;
  /** How much of ended instances is kept. */
  readonly retention?: Retention;
}

/**
 * Every method throws INVALID_INPUT for an id that is no safe file name, and DISK_FULL or DATA_FOLDER when the file
 * system refuses. `read` gives at most 100,000 lines, the newest.
 */
export function openLogs({
  folder,
  clock,
  watch = watchFolder,
  retention = DEFAULT_RETENTION,
}: LogsOptions): Logs {
  const of = (deploymentId: DeploymentId) => deploymentFolder(folder, deploymentId);
  return {
    fileFor: async (deploymentId, instanceId) => {
      const file = instanceFile(of(deploymentId), instanceId);
      // What apps write may be private: only we may look.
      await named(mkdir(of(deploymentId), { recursive: true, mode: 0o700 }));
      return file;
    },
    read: async (deploymentId, query) => named(readLogs(of(deploymentId), query)),
    follow: async (deploymentId, query, onLine, signal) =>
      named(followLogs({ folder: of(deploymentId), query, onLine, signal, clock, watch })),
    remove: async (deploymentId) => named(rm(of(deploymentId), { recursive: true, force: true })),
    prune: async (deploymentId, keep) =>
      named(pruneLogs(of(deploymentId), new Set(keep), retention)),
  };
}
