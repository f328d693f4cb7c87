/** What a data file can suffer: damage, other hands, a newer version, no room, the death of thread or process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { BerthError } from '../../core/errors.ts';
import { aDeployment } from '../../core/fixtures/deployment.ts';
import { startWorker, WorkerChannel } from './channel.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { openDatabase, openSqliteStore } from './open.ts';
import { SqliteStore } from './store.ts';

async function dataFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-file-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'berth.db');
}

/** A file with `count` deployments, closed. */
async function written(count: number): Promise<string> {
  const file = await dataFile();
  const store = await openSqliteStore(file);
  for (let index = 0; index < count; index += 1) {
    await store.insertDeployment(aDeployment({ id: `made-${index}` }));
  }
  await store.close();
  return file;
}

/** Runs statements on a file as another program would. */
function withoutBerth(file: string, ...statements: readonly string[]): void {
  const database = new Database(file);
  for (const statement of statements) database.exec(statement);
  database.close();
}

it('flushes every write to disk before it is confirmed, and checks references', async () => {
  const file = await dataFile();
  const channel = await WorkerChannel.open(startWorker(file), file);
  onTestFinished(() => channel.close());
  const pragma = async (name: string) => (await channel.run(`pragma ${name}`, [])).rows[0];
  expect(await pragma('journal_mode')).toStrictEqual({ journal_mode: 'wal' });
  expect(await pragma('synchronous')).toStrictEqual({ synchronous: 2 });
  expect(await pragma('foreign_keys')).toStrictEqual({ foreign_keys: 1 });
});

it('gives the projects of a file from before there were teams to the team default', async () => {
  const file = await dataFile();
  const database = await openDatabase(file);
  await migrate(database, file, MIGRATIONS.slice(0, 1));
  for (const [id, project, at] of [
    ['shop-2', 'shop', 20],
    ['shop-1', 'shop', 10],
    ['toys-1', 'toys', 30],
  ] as const) {
    await sql`insert into deployments (id, project, source, configuration, state, created_at, created_by)
      values (${id}, ${project}, '{}', '{}', 'ready', ${at}, 'local')`.execute(database);
  }
  await database.destroy();
  const store = await openSqliteStore(file);
  onTestFinished(() => store.close());
  expect(await store.projects()).toStrictEqual([
    { name: 'shop', team: 'default', createdAt: 10 },
    { name: 'toys', team: 'default', createdAt: 30 },
  ]);
  expect(await store.teams()).toStrictEqual([{ name: 'default', plan: 'unlimited', createdAt: 0 }]);
});

it('refuses to change or remove a line of the audit log, also for other programs', async () => {
  const file = await written(0);
  const store = await openSqliteStore(file);
  const line = { at: 1, actor: 'a', action: 'b', subject: 'c', team: 'd', detail: '' };
  await store.appendAudit(line);
  await store.close();
  for (const statement of [
    "update audit set actor = 'nobody'",
    'delete from audit',
    "insert or replace into audit select 1, 2, 'x', 'x', 'x', 'x', 'x', null, null, null, null",
  ]) {
    expect(() => withoutBerth(file, statement)).toThrow(/audit log/);
  }
  const again = await openSqliteStore(file);
  onTestFinished(() => again.close());
  expect(await again.audit()).toStrictEqual([line]);
});

it('makes a data file that nobody else may read', async () => {
  const file = await dataFile();
  const store = await openSqliteStore(file);
  onTestFinished(() => store.close());
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    expect((await stat(name)).mode & 0o777).toBe(0o600);
  }
});

it('keeps the tables strict: a text in a number column is refused', async () => {
  const file = await written(1);
  expect(() => withoutBerth(file, `update deployments set created_at = 'soon'`)).toThrow(/REAL/);
});

it('refuses a file written by a newer version and leaves it as it was', async () => {
  const file = await written(1);
  withoutBerth(file, `insert into schema_versions values (99, 'from the future')`);
  const before = await readFile(file);
  await expect(openSqliteStore(file)).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringMatching(/newer version of Berth \(its form is 99/),
  });
  expect(await readFile(file)).toStrictEqual(before);
});

it('refuses the database of another program and leaves its tables alone', async () => {
  const file = await dataFile();
  withoutBerth(file, 'create table cats (name text)');
  await expect(openSqliteStore(file)).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringContaining('another program'),
  });
  const database = new Database(file);
  onTestFinished(() => void database.close());
  expect(database.prepare('select name from sqlite_schema').pluck().all()).toStrictEqual(['cats']);
});

it('refuses a file that is no database at all', async () => {
  const file = await dataFile();
  await writeFile(file, 'not a database, but long enough to have a header of some kind'.repeat(50));
  await expect(openSqliteStore(file)).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringContaining('not an SQLite database'),
  });
});

it('refuses a file with a damaged page in the middle', async () => {
  const file = await written(200);
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(8_192, 0xa5), 0, 8_192, Math.floor(size / 2 / 4_096) * 4_096);
  await handle.close();
  await expect(openSqliteStore(file)).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringContaining('damaged'),
  });
});

it('refuses a row whose JSON is broken, naming the deployment and the column', async () => {
  const file = await written(1);
  withoutBerth(file, `update deployments set configuration = '{"slot":'`);
  const store = await openSqliteStore(file);
  onTestFinished(() => store.close());
  await expect(store.deployment('made-0')).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringMatching(/configuration of deployment made-0/),
  });
});

it('says so when the folder is missing or a folder stands where the file should', async () => {
  const file = await dataFile();
  await expect(openSqliteStore(join(file, 'below'))).rejects.toMatchObject({ code: 'DATA_FOLDER' });
  await expect(openSqliteStore(join(file, '..'))).rejects.toMatchObject({ code: 'DATA_FOLDER' });
});

it('says so when the file may be read but not written', async () => {
  const file = await written(1);
  const database = await openDatabase(file);
  const store = new SqliteStore(database);
  onTestFinished(() => store.close());
  // For root, who runs these tests, no file is read-only: this is how SQLite gives the same answer.
  await sql.raw('pragma query_only = 1').execute(database);
  await expect(store.insertDeployment(aDeployment())).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringContaining('cannot be written'),
  });
  expect(await store.deployments()).toHaveLength(1);
});

it('answers DISK_FULL when there is no room, keeps what it had, and goes on when there is room again', async () => {
  const file = await dataFile();
  const database = await openDatabase(file);
  await migrate(database, file);
  const store = new SqliteStore(database);
  onTestFinished(() => store.close());
  const pages = async (count: number) => {
    await sql.raw(`pragma max_page_count = ${count}`).execute(database);
  };
  await store.insertDeployment(aDeployment());
  await pages(1);
  const large = aDeployment({ id: 'large', createdBy: 'x'.repeat(100_000) });
  await expect(store.insertDeployment(large)).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(await store.deployments()).toStrictEqual([aDeployment()]);
  await pages(1_000_000);
  expect(await store.insertDeployment(large)).toBe(true);
});

it('fails what is waiting, and all that comes later, when the thread dies', async () => {
  const file = await dataFile();
  const worker = startWorker(file);
  const channel = await WorkerChannel.open(worker, file);
  // Long enough to be caught in the middle, and finite: a thread ends only between two queries.
  const long = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1e6) select max(i) from n`;
  const waiting = [channel.run(long, []), channel.run('select 1', [])];
  const failed = Promise.all(
    waiting.map((one) => expect(one).rejects.toMatchObject({ code: 'INTERNAL' })),
  );
  await worker.terminate();
  await failed;
  await expect(channel.run('select 1', [])).rejects.toBeInstanceOf(BerthError);
  await channel.close();
});

it('answers what was asked before it closes', async () => {
  const file = await dataFile();
  const store = await openSqliteStore(file);
  const asked = Array.from({ length: 20 }, (_, index) =>
    store.insertDeployment(aDeployment({ id: `asked-${index}` })),
  );
  await store.close();
  expect(await Promise.all(asked)).toStrictEqual(asked.map(() => true));
  const again = await openSqliteStore(file);
  onTestFinished(() => again.close());
  expect(await again.deployments()).toHaveLength(20);
});

it('applies only the steps that are missing, and none of them when one fails', async () => {
  const file = await written(3);
  const step = (version: number, statement: string) => ({
    version,
    name: `step ${version}`,
    statements: [statement],
  });
  const known = MIGRATIONS.map(({ version }) => version);
  const next = known.length + 1;
  const second = step(next, 'alter table settings add column note text');
  const database = await openDatabase(file);
  onTestFinished(() => database.destroy());
  const broken = [...MIGRATIONS, second, step(next + 1, 'alter table nothing add column x')];
  await expect(migrate(database, file, broken)).rejects.toMatchObject({ code: 'INTERNAL' });
  const versions = async () => {
    const rows = await database.selectFrom('schema_versions').select('version').execute();
    return rows.map(({ version }) => version);
  };
  expect(await versions()).toStrictEqual(known);
  await migrate(database, file, [...MIGRATIONS, second]);
  await migrate(database, file, [...MIGRATIONS, second]);
  expect(await versions()).toStrictEqual([...known, next]);
  expect(await new SqliteStore(database).deployments()).toHaveLength(3);
});

it('keeps a single write out of a transaction that is under way and fails', async () => {
  const file = await written(0);
  const database = await openDatabase(file);
  const store = new SqliteStore(database);
  onTestFinished(() => store.close());
  const beginning = Promise.withResolvers<void>();
  const transaction = database.transaction().execute(async (inside) => {
    await inside.insertInto('settings').values({ name: 'inside', value: '1' }).execute();
    beginning.resolve();
    for (let index = 0; index < 20; index += 1)
      await inside.selectFrom('settings').selectAll().execute();
    throw new RangeError('rolled back');
  });
  await beginning.promise;
  const outside = store.settingOr('outside', '2');
  await expect(transaction).rejects.toThrow(RangeError);
  expect(await outside).toBe('2');
  expect(await store.setting('outside')).toBe('2');
  expect(await store.setting('inside')).toBeUndefined();
});

it('numbers its steps 1, 2, 3, … without a gap', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toStrictEqual(
    MIGRATIONS.map((_, index) => index + 1),
  );
});

it('lets two processes make the same new file at once', async () => {
  const file = await dataFile();
  const databases = await Promise.all([openDatabase(file), openDatabase(file)]);
  onTestFinished(async () => {
    for (const database of databases) await database.destroy();
  });
  await Promise.all(databases.map((database) => migrate(database, file)));
  const [first, second] = databases.map((database) => new SqliteStore(database));
  await first?.insertDeployment(aDeployment());
  expect(await second?.deployment('hello-1a2b3c4d')).toStrictEqual(aDeployment());
});

it('loses no confirmed write when its process is killed, five times over', async () => {
  const file = await dataFile();
  const confirmed: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const script = fileURLToPath(new URL('./fixtures/writer.ts', import.meta.url));
    const writer = spawn(process.execPath, [script, file, `round${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(writer, 'exit');
    let seen = 0;
    for await (const id of createInterface({ input: writer.stdout })) {
      confirmed.push(id);
      seen += 1;
      // At a different point each time; what it still confirms before it dies counts as well.
      if (seen === 40 + round * 17) writer.kill('SIGKILL');
    }
    expect(await ended).toStrictEqual([null, 'SIGKILL']);
    const store = await openSqliteStore(file);
    const kept = new Set((await store.deployments()).map(({ id }) => id));
    await store.close();
    expect(confirmed.filter((id) => !kept.has(id))).toStrictEqual([]);
  }
  expect(confirmed.length).toBeGreaterThan(300);
});
