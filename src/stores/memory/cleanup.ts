/** Last requests and samples of the disk of the memory store. */
import { dayOf } from '../../core/forecast.ts';
import type { DeploymentId, DiskSample } from '../../core/model.ts';
import type { CleanupStore } from '../../ports/cleanup-store.ts';

export interface MemoryCleanup extends CleanupStore {
  /** What the removal of its row takes along. */
  forgetRequests(id: DeploymentId): void;
}

/** `needOpen` throws once the store is closed. */
export function memoryCleanup(
  needOpen: () => void,
  isKnown: (id: DeploymentId) => boolean,
): MemoryCleanup {
  const requests = new Map<DeploymentId, number>();
  const samples = new Map<number, DiskSample>();
  return {
    async lastRequests() {
      needOpen();
      return new Map(requests);
    },
    async noteRequests(at) {
      needOpen();
      for (const [id, time] of at) {
        if (isKnown(id)) requests.set(id, Math.max(time, requests.get(id) ?? time));
      }
    },
    async diskSamples() {
      needOpen();
      return [...samples.values()].toSorted((one, other) => one.at - other.at);
    },
    async noteDiskSample(sample, keepSince) {
      needOpen();
      samples.set(dayOf(sample.at), { ...sample });
      for (const [day, { at }] of samples) if (at < keepSince) samples.delete(day);
    },
    forgetRequests: (id) => void requests.delete(id),
  };
}
