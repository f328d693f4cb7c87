/** Brings a data file to the tables this version knows: numbered steps, forward only, all or nothing. */
import { type Kysely, sql } from 'kysely';
import { BerthError } from '../../core/errors.ts';
import { copyFor } from './before.ts';
import type { Tables } from './schema.ts';

/** A step never changes once released: files out there were made by it. */
export interface Migration {
  /** 1, 2, 3, … without a gap. */
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'deployments, ledger and settings',
    statements: [
      `create table deployments (
        id text primary key not null,
        project text not null,
        source text not null,
        configuration text not null,
        state text not null,
        image text,
        failure text,
        created_at real not null,
        created_by text not null,
        ready_at real
      ) strict`,
      'create index deployments_newest on deployments (created_at, id)',
      'create index deployments_newest_of_project on deployments (project, created_at, id)',
      `create table ledger (
        kind text not null,
        id text not null,
        deployment_id text,
        created_at real not null,
        primary key (kind, id)
      ) strict, without rowid`,
      `create table settings (
        name text primary key not null,
        value text not null
      ) strict, without rowid`,
    ],
  },
  {
    version: 2,
    name: 'audit log, teams and tokens',
    statements: [
      `create table audit (
        id integer primary key autoincrement,
        at real not null,
        actor text not null,
        action text not null,
        subject text not null,
        team text not null,
        detail text not null,
        project text,
        failure text,
        token text,
        address text
      ) strict`,
      'create index audit_of_project on audit (project, id)',
      // `insert or replace` removes the old row without asking the other triggers.
      "create trigger audit_grows before insert on audit when exists (select 1 from audit where id = new.id) begin select raise(abort, 'the audit log cannot be changed'); end",
      "create trigger audit_stands before update on audit begin select raise(abort, 'the audit log cannot be changed'); end",
      "create trigger audit_stays before delete on audit begin select raise(abort, 'the audit log cannot be shortened'); end",
      `create table teams (
        name text primary key not null,
        plan text not null,
        created_at real not null
      ) strict, without rowid`,
      "insert into teams values ('default', 'unlimited', 0)",
      `create table projects (
        name text primary key not null,
        team text not null,
        created_at real not null
      ) strict, without rowid`,
      'create index projects_of_team on projects (team, name)',
      `insert into projects
        select project, 'default', min(created_at) from deployments group by project`,
      `create table tokens (
        id text primary key not null,
        name text not null,
        kind text not null,
        hash text not null,
        team text,
        role text not null,
        can text,
        projects text,
        created_at real not null,
        created_by text not null,
        expires_at real,
        last_used_at real
      ) strict, without rowid`,
      'create unique index tokens_by_hash on tokens (hash)',
      // A null is no team's name, and two nulls would not be equal.
      "create unique index tokens_by_name on tokens (ifnull(team, ''), name)",
      `create table invitations (
        hash text primary key not null,
        name text not null,
        team text,
        role text not null,
        can text,
        projects text,
        created_at real not null,
        created_by text not null,
        expires_at real not null
      ) strict, without rowid`,
      `create table plans (
        name text primary key not null,
        instances real,
        requests real
      ) strict, without rowid`,
    ],
  },
  {
    version: 3,
    name: 'environments and releases',
    statements: [
      'alter table deployments add column secrets text',
      'alter table deployments add column derived_from text',
      `create table environments (
        project text not null,
        name text not null,
        current integer,
        latest integer not null,
        settings text not null,
        paused_because text,
        created_at real not null,
        primary key (project, name)
      ) strict, without rowid`,
      `create table releases (
        project text not null,
        environment text not null,
        number integer not null,
        kind text not null,
        state text not null,
        base_id text not null,
        deployment_id text not null,
        settings text not null,
        secrets text not null,
        percent real,
        because text not null,
        created_at real not null,
        created_by text not null,
        primary key (project, environment, number)
      ) strict, without rowid`,
      'create index releases_newest_of_project on releases (project, created_at)',
      'create index releases_of_deployment on releases (deployment_id)',
      'create index releases_of_base on releases (base_id)',
      "create index releases_current on releases (project, environment) where state = 'current'",
      "create index releases_unfinished on releases (created_at) where state in ('preparing', 'trial')",
    ],
  },
  {
    version: 4,
    name: 'clean-up: last requests, samples of the disk, layers in the ledger',
    statements: [
      'alter table ledger add column project text',
      'alter table ledger add column used_at real',
      // `berth-<8>-<project>`: what names of networks looked like so far.
      "update ledger set project = substr(id, 16) where kind = 'network'",
      `create table last_requests (
        deployment_id text primary key not null references deployments (id) on delete cascade,
        at real not null
      ) strict, without rowid`,
      `create table disk_samples (
        day integer primary key not null,
        at real not null,
        used_bytes real not null
      ) strict`,
    ],
  },
  {
    version: 5,
    name: 'busy leases',
    statements: [
      `create table busy (
        instance_id text primary key not null,
        until real not null
      ) strict, without rowid`,
    ],
  },
  {
    version: 6,
    name: 'secrets',
    statements: [
      // A removed value leaves its number, which is never given again.
      `create table secrets (
        team text not null,
        name text not null,
        version integer not null,
        sealed text,
        wrapped_key text,
        master_key_id text,
        created_at real not null,
        created_by text not null,
        primary key (team, name, version)
      ) strict, without rowid`,
    ],
  },
  {
    version: 7,
    name: 'aliases',
    statements: [
      `create table aliases (
        hostname text not null,
        path text not null,
        project text,
        environment text,
        deployment_id text,
        team text not null,
        created_at real not null,
        created_by text not null,
        primary key (hostname, path)
      ) strict, without rowid`,
    ],
  },
];

/** What this version writes. */
export const LATEST_FORM = MIGRATIONS.at(-1)?.version ?? 0;

/**
 * Applies what is missing; `beforeChange` is awaited first when there is data that a step may touch, with the form the
 * file has and the one it will have. Throws DATA_FOLDER, with nothing changed, when the file was written by a newer
 * version or is some other program's, and what `beforeChange` throws.
 */
export async function migrate(
  database: Kysely<Tables>,
  file: string,
  migrations: readonly Migration[] = MIGRATIONS,
  beforeChange: (from: number, to: number) => Promise<void> = async () => {},
): Promise<void> {
  const known = migrations.at(-1)?.version ?? 0;
  const found = await formOf(database, file);
  if (found !== undefined && found > known) {
    const copy = await copyFor(database, file, known);
    const advice =
      copy === undefined
        ? 'use that version, or restore a backup made before it'
        : `use that version; or, for the state before the change, put ${copy} in its place and remove ${file}-wal and ${file}-shm`;
    throw new BerthError('DATA_FOLDER', {
      detail: `${file} was written by a newer version of Berth (its form is ${found}, this version knows up to ${known}): ${advice}.`,
    });
  }
  if (found !== undefined && found > 0 && found < known) await beforeChange(found, known);
  await database.transaction().execute(async (transaction) => {
    // Looked at again: another process may have been quicker.
    const standing = await formOf(transaction, file);
    if (standing === undefined) {
      await sql
        .raw(
          'create table schema_versions (version integer primary key, name text not null) strict',
        )
        .execute(transaction);
    }
    const have = standing ?? 0;
    for (const { version, name, statements } of migrations.filter((one) => one.version > have)) {
      for (const statement of statements) await sql.raw(statement).execute(transaction);
      await transaction.insertInto('schema_versions').values({ version, name }).execute();
    }
  });
}

/** Undefined for a file without tables. Throws DATA_FOLDER for one of some other program. */
async function formOf(database: Kysely<Tables>, file: string): Promise<number | undefined> {
  const tables = await sql<{ name: string }>`select name from sqlite_schema`.execute(database);
  const names = tables.rows.map(({ name }) => name);
  if (names.length === 0) return undefined;
  if (!names.includes('schema_versions')) {
    throw new BerthError('DATA_FOLDER', { detail: `${file} is a database of another program.` });
  }
  const applied = await database
    .selectFrom('schema_versions')
    .select((of) => of.fn.max('version').as('version'))
    .executeTakeFirst();
  return applied?.version ?? 0;
}
