/** Opens the data file: the worker, the tables, the store. */
import { open } from 'node:fs/promises';
import { Kysely } from 'kysely';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { Store } from '../../ports/store.ts';
import { startWorker, WorkerChannel } from './channel.ts';
import { workerDialect } from './dialect.ts';
import { fileError } from './failure.ts';
import { keepCopy } from './before.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import type { Tables } from './schema.ts';
import { SqliteStore } from './store.ts';

/**
 * The store in `file`, which is made when it is not there; its folder must be. Writes are flushed to disk before they
 * resolve. Throws DATA_FOLDER (damaged, foreign, not writable, from a newer version) or DISK_FULL.
 */
export async function openSqliteStore(
  file: string,
  /** Hears of the copy that is kept of a file before it is brought to a newer form. */
  onCopy: (copy: {
    readonly file: string;
    readonly from: number;
    readonly to: number;
  }) => void = () => {},
): Promise<Store & SnapshotStore> {
  const database = await openDatabase(file);
  try {
    await migrate(database, file, MIGRATIONS, async (from, to) => {
      onCopy({ file: await keepCopy(database, file, to), from, to });
    });
  } catch (error) {
    await database.destroy();
    throw error;
  }
  return new SqliteStore(database);
}

/** The connection alone, whatever is in the file. */
export async function openDatabase(file: string): Promise<Kysely<Tables>> {
  try {
    // Variables of apps are in it, so only we may read it. SQLite gives its side files the same mode.
    await (await open(file, 'a', 0o600)).close();
  } catch (error) {
    throw fileError(file, error);
  }
  const channel = await WorkerChannel.open(startWorker(file), file);
  return new Kysely<Tables>({ dialect: workerDialect(channel) });
}
