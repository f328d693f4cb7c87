/** Whether there is room for another build. */

/** Room on the file system that fills first, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

const GIB = 1024 ** 3;
/** Never less than this stays free: serving needs room for logs and the database. */
const SMALLEST_RESERVE_BYTES = GIB;
/** On a large disk 5 % would be more than any build needs. */
const LARGEST_RESERVE_BYTES = 10 * GIB;

/** Bytes that a build must find free: 5 % of the disk, at least 1 GiB, at most 10 GiB. */
export function buildReserveBytes(totalBytes: number): number {
  return Math.min(Math.max(totalBytes * 0.05, SMALLEST_RESERVE_BYTES), LARGEST_RESERVE_BYTES);
}

/** Why a build of a folder of `uploadBytes` must not begin now; undefined when it may. */
export function refuseBuild(space: DiskSpace, uploadBytes: number): string | undefined {
  const reserve = buildReserveBytes(space.totalBytes);
  if (space.freeBytes - uploadBytes >= reserve) return undefined;
  const free = (space.freeBytes / GIB).toFixed(1);
  return `Only ${free} GiB are free; a build needs the size of its files and ${(reserve / GIB).toFixed(1)} GiB of room.`;
}
