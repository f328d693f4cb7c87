/** Data files of older forms: everything in them is there afterwards, and a copy of what was before stands beside them. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { FORM_1 } from './fixtures/form-1.ts';
import { keepCopy } from './before.ts';
import { LATEST_FORM, MIGRATIONS, migrate } from './migrations.ts';
import { openDatabase, openSqliteStore } from './open.ts';

/** A file that these statements made, closed. */
async function made(statements: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-forms-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'berth.db');
  const database = new Database(file);
  for (const statement of statements) database.exec(statement);
  database.close();
  return file;
}

const copiesBeside = async (file: string) =>
  (await readdir(dirname(file))).filter((name) => name.includes('before')).toSorted();

it('finds everything of form 1 in the newest form', async () => {
  const file = await made(FORM_1);
  const store = await openSqliteStore(file);
  onTestFinished(() => store.close());
  expect(await store.deployment('shop-1a2b3c4d')).toMatchObject({
    project: 'shop',
    state: 'ready',
    image: { id: 'sha256:aa' },
    configuration: { env: { GREETING: 'hi' }, idle: 'freeze' },
    source: { kind: 'folder', manifest: '0f1e' },
    createdAt: 1_790_000_000_000,
    readyAt: 1_790_000_005_000,
  });
  expect(await store.deployment('blog-5e6f7g8h')).toMatchObject({
    state: 'failed',
    failure: { code: 'BUILD_FAILED', detail: 'step 2' },
  });
  expect((await store.projects()).map(({ name, team }) => `${team}/${name}`)).toEqual([
    'default/blog',
    'default/shop',
  ]);
  expect(await store.ledger('network')).toMatchObject([{ project: 'shop' }]);
  expect(await store.ledger('image')).toMatchObject([
    { id: 'sha256:aa', deploymentId: 'shop-1a2b3c4d' },
  ]);
  expect(await store.setting('ledger')).toBe('abcdefgh1234');
});

it('keeps a copy for its owner alone before it changes a file with data, and says so', async () => {
  const file = await made(FORM_1);
  const said: unknown[] = [];
  await (await openSqliteStore(file, (copy) => said.push(copy))).close();
  const copy = `${file}.before-${LATEST_FORM}`;
  expect(said).toEqual([{ file: copy, from: 1, to: LATEST_FORM }]);
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
  const database = new Database(copy, { readonly: true });
  onTestFinished(() => void database.close());
  expect(database.prepare('select max(version) from schema_versions').pluck().get()).toBe(1);
  expect(database.prepare('select count(*) from deployments').pluck().get()).toBe(2);
  // Nothing is changed now, so nothing is copied.
  await (await openSqliteStore(file, (again) => said.push(again))).close();
  expect(said).toHaveLength(1);
});

it('keeps no copy of a new file', async () => {
  const file = await made([]);
  await (await openSqliteStore(file)).close();
  expect(await copiesBeside(file)).toEqual([]);
});

it('keeps the last two', async () => {
  const file = await made(FORM_1);
  const database = await openDatabase(file);
  onTestFinished(() => database.destroy());
  for (const form of [8, 9, 10, 11]) await keepCopy(database, file, form);
  expect(await copiesBeside(file)).toEqual(['berth.db.before-10', 'berth.db.before-11']);
});

it('changes nothing when there is no room for the copy', async () => {
  const file = await made(FORM_1);
  const database = await openDatabase(file);
  onTestFinished(() => database.destroy());
  const failing = migrate(database, file, MIGRATIONS, () => Promise.reject(new Error('full')));
  await expect(failing).rejects.toThrow('full');
  const rows = await database.selectFrom('schema_versions').select('version').execute();
  expect(rows.map(({ version }) => version)).toEqual([1]);
});

it('tells an older Berth which copy it can open, and leaves that copy as it is', async () => {
  const file = await made(FORM_1);
  await (await openSqliteStore(file)).close();
  const before = (await stat(`${file}.before-${LATEST_FORM}`)).mtimeMs;
  const database = await openDatabase(file);
  onTestFinished(() => database.destroy());
  await expect(migrate(database, file, MIGRATIONS.slice(0, 3))).rejects.toMatchObject({
    code: 'DATA_FOLDER',
    detail: expect.stringContaining(`${basename(file)}.before-${LATEST_FORM} in its place`),
  });
  expect((await stat(`${file}.before-${LATEST_FORM}`)).mtimeMs).toBe(before);
});
