/** Whole copies of a data file, made by SQLite itself: a copied file would lack what is still in the write-ahead log. */
import { open, rm } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import { fileError } from './failure.ts';
import type { Tables } from './schema.ts';

/**
 * What is in the database at one moment, on the disk when this resolves and for its owner only. The file must not be
 * there. Throws DISK_FULL or DATA_FOLDER, and then it is not.
 */
export async function copyTo(database: Kysely<Tables>, file: string): Promise<void> {
  try {
    // SQLite takes an empty file, and would make one that others may read.
    await (await open(file, 'wx', 0o600)).close();
  } catch (error) {
    throw fileError(file, error);
  }
  try {
    await sql`vacuum into ${file}`.execute(database);
    const copy = await open(file, 'r+');
    try {
      await copy.sync();
    } finally {
      await copy.close();
    }
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}
