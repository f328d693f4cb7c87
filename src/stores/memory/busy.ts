/** Busy leases of the memory store. */
import type { InstanceId } from '../../core/model.ts';
import type { BusyStore } from '../../ports/busy-store.ts';

/** `needOpen` throws once the store is closed. */
export function memoryBusy(needOpen: () => void): BusyStore {
  const busy = new Map<InstanceId, number>();
  return {
    async busyUntil() {
      needOpen();
      return new Map(busy);
    },
    async recordBusy(instanceId, until) {
      needOpen();
      busy.set(instanceId, until);
    },
    async forgetBusy(instanceId) {
      needOpen();
      busy.delete(instanceId);
    },
  };
}
