/** What clean-up remembers: when each deployment was last asked, and how full the disk was each day. */
import type { DeploymentId, DiskSample } from '../core/model.ts';

export interface CleanupStore {
  /** ms since the epoch, for those that were ever asked. */
  lastRequests(): Promise<ReadonlyMap<DeploymentId, number>>;
  /** All in one; an earlier time changes nothing, and an unknown deployment is passed over. */
  noteRequests(at: ReadonlyMap<DeploymentId, number>): Promise<void>;
  /** One for each day, oldest first. */
  diskSamples(): Promise<readonly DiskSample[]>;
  /** Takes the place of an earlier one of the same day (UTC); those of before `keepSince` (ms since the epoch) go. */
  noteDiskSample(sample: DiskSample, keepSince: number): Promise<void>;
}
