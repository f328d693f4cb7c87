/** A file that only takes room, so that there is some when the disk is full: removing things writes to the database first. */
import { rm, stat, writeFile } from 'node:fs/promises';

export interface Reserve {
  /** Gives its room away when less than twice as much is free. */
  release(freeBytes: number): Promise<void>;
  /** Takes it again once there is plenty. */
  restore(freeBytes: number): Promise<void>;
}

/** A deployment's removal writes some ten pages of 4 KiB, each once more in the log of the database. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const PLENTY_BYTES = 16 * RESERVE_BYTES;

export function openReserve(file: string): Reserve {
  return {
    async release(freeBytes) {
      if (freeBytes < 2 * RESERVE_BYTES) await rm(file, { force: true });
    },
    async restore(freeBytes) {
      if (freeBytes < PLENTY_BYTES) return;
      const found = await stat(file).catch(() => undefined);
      if (found?.size === RESERVE_BYTES) return;
      // Half of it is worth something too, and next time there is another try.
      await writeFile(file, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 }).catch(() => undefined);
    },
  };
}
