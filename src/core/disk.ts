/** Whether there is room for another build: on the file systems, and within the budget of Berth itself. */
import { bytesInWords } from './words.ts';

/** Room on a file system, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is asked before a build or an upload begins. */
export interface DiskState {
  /** Those that Berth writes to. */
  readonly fileSystems: readonly DiskSpace[];
  /** Images, build cache, logs and blobs together. */
  readonly usedBytes: number;
  readonly budgetBytes: number;
}

/** Why a build must not begin now. */
export interface Shortage {
  readonly code: 'DISK_FULL' | 'DISK_BUDGET';
  /** At least so much has to go. */
  readonly missingBytes: number;
  readonly because: string;
}

const GIB = 1024 ** 3;
/** The high-water mark: from here on builds are refused. */
const MARK_SHARE = 0.85;
/** Never less than this stays free: serving needs room for logs and the database. */
const SMALLEST_RESERVE_BYTES = GIB;
/** On a large disk 15 % would be more than serving ever needs. */
const LARGEST_RESERVE_BYTES = 20 * GIB;
/** Of a disk, where no budget is given. */
const BUDGET_SHARE = 0.8;

/** Bytes that builds leave free: 15 % of the file system, at least 1 GiB, at most 20 GiB. */
export function buildReserveBytes(totalBytes: number): number {
  return Math.min(
    Math.max(totalBytes * (1 - MARK_SHARE), SMALLEST_RESERVE_BYTES),
    LARGEST_RESERVE_BYTES,
  );
}

/** What Berth may use where nobody said: a share of the file system that images are on. */
export function defaultBudgetBytes(totalBytes: number): number {
  return Math.floor(totalBytes * BUDGET_SHARE);
}

/** Why nothing of `wantedBytes` must begin now: the worst of the reasons; undefined when it may. */
export function shortage(state: DiskState, wantedBytes: number): Shortage | undefined {
  const found: Shortage[] = [];
  for (const { freeBytes, totalBytes } of state.fileSystems) {
    const reserve = buildReserveBytes(totalBytes);
    const missingBytes = wantedBytes + reserve - freeBytes;
    if (missingBytes <= 0) continue;
    const because = `${bytesInWords(Math.max(0, freeBytes))} of the ${bytesInWords(totalBytes)} of the disk are free, and builds leave ${bytesInWords(reserve)}.`;
    found.push({ code: 'DISK_FULL', missingBytes, because });
  }
  const { usedBytes, budgetBytes } = state;
  const overBudget = usedBytes + wantedBytes - budgetBytes;
  if (overBudget > 0) {
    const because = `Berth uses ${bytesInWords(usedBytes)} of its budget of ${bytesInWords(budgetBytes)}.`;
    found.push({ code: 'DISK_BUDGET', missingBytes: overBudget, because });
  }
  return found.toSorted((one, other) => other.missingBytes - one.missingBytes)[0];
}

/** Room that is left until the mark or the budget, whichever comes first; 0 when there is none. */
export function roomBytes({ fileSystems, usedBytes, budgetBytes }: DiskState): number {
  const rooms = fileSystems.map(
    ({ freeBytes, totalBytes }) => freeBytes - buildReserveBytes(totalBytes),
  );
  return Math.max(0, Math.min(budgetBytes - usedBytes, ...rooms));
}
