/** Copies of a data file as it was before a migration: kept beside it, the last two. */
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { copyTo } from './copy.ts';
import type { Tables } from './schema.ts';

const KEPT = 2;

/** `berth.db.before-8`: as it was before it was brought to form 8. */
export interface Copy {
  readonly file: string;
  readonly before: number;
}

/** Newest form first. */
async function copiesOf(file: string): Promise<readonly Copy[]> {
  const folder = dirname(file);
  const prefix = `${basename(file)}.before-`;
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ file: join(folder, name), before: Number(name.slice(prefix.length)) }))
    .toSorted((one, other) => other.before - one.before);
}

/** Keeps a copy before `form`, in the place of an earlier one of that name; its path. Throws DISK_FULL or DATA_FOLDER. */
export async function keepCopy(
  database: Kysely<Tables>,
  file: string,
  form: number,
): Promise<string> {
  const copy = `${file}.before-${form}`;
  const unfinished = `${copy}.new`;
  await rm(unfinished, { force: true });
  await copyTo(database, unfinished);
  await rename(unfinished, copy);
  for (const old of (await copiesOf(file)).slice(KEPT)) await rm(old.file, { force: true });
  return copy;
}

/** The newest copy that a version which knows forms up to `known` can open; asked of a file that it cannot. */
export async function copyFor(
  database: Kysely<Tables>,
  file: string,
  known: number,
): Promise<string | undefined> {
  for (const copy of await copiesOf(file)) {
    const form = await formOf(database, copy.file).catch(() => undefined);
    if (form !== undefined && form <= known) return copy.file;
  }
  return undefined;
}

/** Looked at through the connection that is there: opening the copy itself would change it. */
async function formOf(database: Kysely<Tables>, file: string): Promise<number | undefined> {
  return database.connection().execute(async (connection) => {
    await sql`attach database ${file} as copy`.execute(connection);
    try {
      const { rows } = await sql<{
        version: number | null;
      }>`select max(version) as version from copy.schema_versions`.execute(connection);
      return rows[0]?.version ?? undefined;
    } finally {
      await sql`detach database copy`.execute(connection);
    }
  });
}
