/** What instances said about being busy, so that a restart does not break it. */
import type { InstanceId } from '../core/model.ts';

export interface BusyStore {
  /** Until when each is busy by its own word, ms since the epoch; those in the past too. */
  busyUntil(): Promise<ReadonlyMap<InstanceId, number>>;
  /** The latest word counts. */
  recordBusy(instanceId: InstanceId, until: number): Promise<void>;
  /** Idempotent. */
  forgetBusy(instanceId: InstanceId): Promise<void>;
}
