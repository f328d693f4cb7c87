/** A store that can give a copy of itself. */
export interface SnapshotStore {
  /**
   * Everything that was written before, as one file that a store opens; for its owner only. The file must not be there.
   * Throws DISK_FULL or DATA_FOLDER, and then it is not.
   */
  snapshot(file: string): Promise<void>;
  /** Number of the last migration: a Berth that knows it can open the copy. */
  readonly form: number;
}
