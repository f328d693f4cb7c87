/** Backups of a real store and real files, restored: all of it comes back, or none of it and a code that says why. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aDeployment } from '../core/fixtures/deployment.ts';
import type { Engine } from '../ports/engine.ts';
import { runMemoryApp } from '../engines/memory/app.ts';
import { createMemoryEngine } from '../engines/memory/engine.ts';
import { LATEST_FORM } from '../stores/sqlite/migrations.ts';
import { openSqliteStore } from '../stores/sqlite/open.ts';
import { systemClock as clock } from '../system/clock.ts';
import { claimDataFolder } from '../system/data-folder.ts';
import { drawBytes, systemRandom as random } from '../system/random.ts';
import { openSmallDisk, whyNoSmallDisk } from '../../test/fixtures/small-disk.ts';
import { checked } from './check.ts';
import { refuseHalfRestored } from './mark.ts';
import { openBackups } from './open.ts';
import { restore, type RestoreNeeds } from './restore.ts';

const PASSPHRASE = 'correct horse battery';
const KEYS = '# a key file\nbase64key==\n';
const PRIVATE = 'PRIVATE KEY OF A CERTIFICATE';
const noSmallDisk = await whyNoSmallDisk();

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-backup-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A data folder as a server has it, with two deployments, and what makes backups of it. */
async function world(engineOf: (bare: Engine) => Engine = (bare) => bare, bigBytes = 3_000_000) {
  const folder = await temporary();
  const store = await openSqliteStore(join(folder, 'berth.db'));
  onTestFinished(() => store.close());
  await store.insertDeployment(aDeployment({ id: 'shop-1' }));
  await store.insertDeployment(aDeployment({ id: 'shop-2', state: 'ready' }));
  await store.settingOr('ledger', 'abcdefgh1234');
  await store.record({ kind: 'container', id: 'shop-1.aaaaaa', createdAt: 1 });
  await store.record({ kind: 'image', id: 'sha256:gone', createdAt: 1 });
  await writeFile(join(folder, 'secrets.key'), KEYS, { mode: 0o600 });
  await writeFile(join(folder, 'token'), 'berth_token_of_the_old_machine');
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'logs', 'x.log'), 'LOGGED');
  await mkdir(join(folder, 'certificates', 'own'), { recursive: true });
  await writeFile(join(folder, 'certificates', 'own', '+.example.com.pem'), PRIVATE);
  const big = drawBytes(bigBytes);
  const name = createHash('sha256').update(big).digest('hex');
  await mkdir(join(folder, 'blobs', name.slice(0, 2)), { recursive: true });
  await writeFile(join(folder, 'blobs', name.slice(0, 2), name.slice(2)), big);
  await mkdir(join(folder, 'blobs', 'unfinished'));
  await writeFile(join(folder, 'blobs', 'unfinished', 'half'), 'HALF');
  const engine = engineOf(createMemoryEngine({ clock, run: runMemoryApp }));
  onTestFinished(() => engine.close());
  const closing = new AbortController();
  const backups = await openBackups({
    store,
    engine,
    clock,
    random,
    draw: drawBytes,
    reporter: { report: () => {} },
    version: '0.1.0',
    keyFile: join(folder, 'secrets.key'),
    blobs: join(folder, 'blobs'),
    certificates: join(folder, 'certificates'),
    folder: join(folder, 'backups'),
    closing: closing.signal,
  });
  const file = join(folder, 'backup.berth');
  return {
    folder,
    store,
    backups,
    closing,
    file,
    big,
    blob: join('blobs', name.slice(0, 2), name.slice(2)),
    /** As `berth backup` does it; the bytes are in `file`. */
    backUp: async (): Promise<void> => {
      const stream = await backups.create({ passphrase: PASSPHRASE, hasImages: true });
      const chunks: Uint8Array[] = [];
      for await (const chunk of checked(stream)) chunks.push(chunk);
      await writeFile(file, Buffer.concat(chunks));
    },
  };
}

function needs(folder: string, changed: Partial<RestoreNeeds> = {}): RestoreNeeds {
  return {
    folder,
    form: LATEST_FORM,
    clock,
    claim: () => claimDataFolder(folder, random),
    refuseTwin: async () => {},
    openStore: (file) => openSqliteStore(file),
    openEngine: async () => createMemoryEngine({ clock, run: runMemoryApp, images: new Map() }),
    sync: async () => {},
    tell: () => {},
    ...changed,
  };
}

const given = (file: string, passphrase = PASSPHRASE) => ({ file, passphrase });

describe('a backup', () => {
  it('brings state, uploads, keys and certificates to an empty folder, and nothing that belongs to the machine', async () => {
    const { backUp, file, big, blob } = await world();
    await backUp();
    const target = join(await temporary(), 'data');
    const restored = await restore(needs(target), given(file));
    expect(restored).toMatchObject({ deployments: 2, version: '0.1.0', withoutImage: [] });
    expect(await readFile(join(target, blob))).toStrictEqual(big);
    expect(await readFile(join(target, 'secrets.key'), 'utf8')).toBe(KEYS);
    const certificate = join(target, 'certificates', 'own', '+.example.com.pem');
    expect(await readFile(certificate, 'utf8')).toBe(PRIVATE);
    for (const name of ['berth.db', 'secrets.key', blob]) {
      expect((await stat(join(target, name))).mode & 0o777).toBe(0o600);
    }
    expect((await readdir(target)).toSorted()).toStrictEqual(
      ['berth.db', 'blobs', 'certificates', 'secrets.key', 'token'].toSorted(),
    );
    expect(await readFile(join(target, 'token'), 'utf8')).not.toContain('old_machine');
    const store = await openSqliteStore(join(target, 'berth.db'));
    onTestFinished(() => store.close());
    expect((await store.deployments()).map(({ id }) => id).toSorted()).toEqual([
      'shop-1',
      'shop-2',
    ]);
    // Containers and images of the old machine are not here.
    expect(await store.ledger()).toEqual([]);
    expect(await store.setting('ledger')).toBe('abcdefgh1234');
    expect((await store.audit()).map(({ action }) => action)).toEqual(['backup.restored']);
    await expect(refuseHalfRestored(target)).resolves.toBeUndefined();
  });

  it('has neither keys nor private keys nor logs nor the token in the clear, and leaves no copy behind', async () => {
    const { backUp, file, folder } = await world();
    await backUp();
    const bytes = await readFile(file, 'latin1');
    for (const secret of ['base64key', PRIVATE, 'LOGGED', 'old_machine', PASSPHRASE, 'HALF']) {
      expect(bytes).not.toContain(secret);
    }
    expect(await readdir(join(folder, 'backups'))).toEqual([]);
  });

  it('has what was written before it began, however much is written meanwhile', async () => {
    const { backups, store, file } = await world();
    const stream = await backups.create({ passphrase: PASSPHRASE, hasImages: false });
    await store.insertDeployment(aDeployment({ id: 'late-1' }));
    const chunks: Uint8Array[] = [];
    for await (const chunk of checked(stream)) chunks.push(chunk);
    await writeFile(file, Buffer.concat(chunks));
    const target = join(await temporary(), 'data');
    await restore(needs(target), given(file));
    const copy = await openSqliteStore(join(target, 'berth.db'));
    onTestFinished(() => copy.close());
    expect(await copy.deployment('late-1')).toBeUndefined();
    expect(await copy.deployment('shop-2')).toBeDefined();
  });

  it('says in its last line that the server stopped, and is refused then', async () => {
    const { backups, closing, file } = await world(undefined, 20_000_000);
    const stream = await backups.create({ passphrase: PASSPHRASE, hasImages: true });
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if (chunks.length === 3) closing.abort();
    }
    await writeFile(file, Buffer.concat(chunks));
    const again = checked(
      (async function* () {
        yield Buffer.concat(chunks);
      })(),
    );
    await expect(text(again)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(restore(needs(await temporary()), given(file))).rejects.toMatchObject({
      code: 'BACKUP_INVALID',
      detail: expect.stringContaining('never finished'),
    });
  });

  it('is refused with a short passphrase', async () => {
    const { backups } = await world();
    await expect(backups.create({ passphrase: '1234567', hasImages: true })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('keeps both keys while they are being changed', async () => {
    const { backups, folder, file } = await world();
    const stream = await backups.create({ passphrase: PASSPHRASE, hasImages: false });
    await writeFile(join(folder, 'secrets.key'), '# a key file\nnewkey==\n');
    const chunks: Uint8Array[] = [];
    for await (const chunk of checked(stream)) chunks.push(chunk);
    await writeFile(file, Buffer.concat(chunks));
    const target = join(await temporary(), 'data');
    await restore(needs(target), given(file));
    const keys = (await readFile(join(target, 'secrets.key'), 'utf8')).split('\n');
    expect(keys).toContain('base64key==');
    expect(keys).toContain('newkey==');
  });
});

describe('a restore', () => {
  it('refuses every file that was cut off, with nothing written', async () => {
    const { backUp, file } = await world();
    await backUp();
    const whole = await readFile(file);
    const target = join(await temporary(), 'data');
    for (const bytes of [0, 1, 511, 700, 100_000, whole.length - 600, whole.length - 1]) {
      await writeFile(file, whole.subarray(0, bytes));
      await expect(restore(needs(target), given(file))).rejects.toMatchObject({
        code: 'BACKUP_INVALID',
      });
    }
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses every file with a changed byte, wherever it is, with nothing written', async () => {
    const { backUp, file } = await world();
    await backUp();
    const whole = await readFile(file);
    const target = join(await temporary(), 'data');
    const places = Array.from({ length: 40 }, (_, index) =>
      Math.floor((index / 39) * (whole.length - 1)),
    );
    for (const place of [5, 150, 530, ...places]) {
      const changed = Buffer.from(whole);
      changed[place] = (changed[place] ?? 0) ^ 0x10;
      await writeFile(file, changed);
      await expect(restore(needs(target), given(file)), `byte ${place}`).rejects.toMatchObject({
        code: 'BACKUP_INVALID',
      });
    }
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a wrong passphrase, a newer version, what is no file, and what is no backup', async () => {
    const { backUp, file, folder } = await world();
    await backUp();
    const target = join(await temporary(), 'data');
    const codeOf = async (form: number, path: string, passphrase?: string) =>
      restore(needs(target, { form }), given(path, passphrase)).then(
        () => 'done',
        (error: { readonly code: string }) => error.code,
      );
    expect(await codeOf(LATEST_FORM, file, 'another passphrase')).toBe('PASSPHRASE_WRONG');
    expect(await codeOf(LATEST_FORM - 1, file)).toBe('BACKUP_NEWER');
    expect(await codeOf(LATEST_FORM, folder)).toBe('USAGE');
    expect(await codeOf(LATEST_FORM, join(folder, 'nothing'))).toBe('USAGE');
    expect(await codeOf(LATEST_FORM, join(folder, 'berth.db'))).toBe('BACKUP_INVALID');
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a folder that has data or a server, and changes nothing in it', async () => {
    const { backUp, file, folder } = await world();
    await backUp();
    const before = await readdir(folder);
    await expect(restore(needs(folder), given(file))).rejects.toMatchObject({
      code: 'DATA_EXISTS',
      detail: expect.stringContaining('berth.db'),
    });
    expect(await readdir(folder)).toEqual(before);
    const served = await temporary();
    const claimed = await claimDataFolder(served, random);
    await expect(restore(needs(served), given(file))).rejects.toMatchObject({
      code: 'SERVER_RUNNING',
    });
    await claimed.release();
    expect(await readdir(served)).toEqual(['token']);
  });

  it('that fails in the middle says so to the next server, and can be done again', async () => {
    const { backUp, file } = await world();
    await backUp();
    const target = await temporary();
    const broken = needs(target, { openEngine: () => Promise.reject(new Error('killed')) });
    await expect(restore(broken, given(file))).rejects.toThrow('killed');
    await expect(refuseHalfRestored(target)).rejects.toMatchObject({ code: 'RESTORE_UNFINISHED' });
    // Whatever the first try left is not mixed with the second.
    await mkdir(join(target, 'blobs', 'zz'));
    expect(await restore(needs(target), given(file))).toMatchObject({ deployments: 2 });
    await expect(refuseHalfRestored(target)).resolves.toBeUndefined();
    expect(await readdir(join(target, 'blobs'))).not.toContain('zz');
  });

  it.skipIf(noSmallDisk !== undefined)(
    'onto a disk without room is refused before anything is written',
    async () => {
      const { backUp, file } = await world(undefined, 40_000_000);
      await backUp();
      const disk = await openSmallDisk(90 * 1024 * 1024);
      onTestFinished(() => disk.close());
      const target = join(disk.path, 'data');
      await expect(restore(needs(target), given(file))).rejects.toMatchObject({
        code: 'DISK_FULL',
      });
      await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it.skipIf(noSmallDisk !== undefined)(
    'whose disk fills up meanwhile is DISK_FULL, and ends well once there is room',
    async () => {
      const { backUp, file } = await world(undefined, 40_000_000);
      await backUp();
      const disk = await openSmallDisk(160 * 1024 * 1024);
      onTestFinished(() => disk.close());
      const target = join(disk.path, 'data');
      const filling = needs(target, {
        claim: async () => {
          const claimed = await claimDataFolder(target, random);
          await disk.leave(20 * 1024 * 1024);
          return claimed;
        },
      });
      await expect(restore(filling, given(file))).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(refuseHalfRestored(target)).rejects.toMatchObject({
        code: 'RESTORE_UNFINISHED',
      });
      await disk.leave(140 * 1024 * 1024);
      expect(await restore(needs(target), given(file))).toMatchObject({ deployments: 2 });
    },
  );

  it('carries archives of images byte by byte, and takes what the engine says when it refuses them', async () => {
    const folder = await temporary();
    const archive = drawBytes(9_000_000);
    await writeFile(join(folder, 'archive'), archive);
    const program = (script: string) => ({
      program: '/bin/sh',
      arguments: ['-c', script],
      environment: {},
    });
    const image = { id: 'sha256:carried', bytes: 1, layers: [], exposedPorts: [] };
    const withImages = (bare: Engine): Engine => ({
      ...bare,
      image: async () => image,
      imageExports: async () => [program(`cat ${folder}/archive`)],
      imageImport: () => program(`cat > ${folder}/taken`),
    });
    const { backUp, store, file } = await world(withImages);
    const ready = aDeployment({ id: 'shop-3', state: 'ready' });
    await store.insertDeployment({ ...ready, image });
    await backUp();
    const target = await temporary();
    const engine = async () => withImages(createMemoryEngine({ clock, run: runMemoryApp }));
    const restored = await restore(needs(target, { openEngine: engine }), given(file));
    expect(restored.images).toBe(1);
    expect(await readFile(join(folder, 'taken'))).toStrictEqual(archive);

    const refusing = async () => ({
      ...(await engine()),
      imageImport: () =>
        program('cat > /dev/null; echo "Error: no space left on device" >&2; exit 125'),
    });
    await expect(
      restore(needs(await temporary(), { openEngine: refusing }), given(file)),
    ).rejects.toMatchObject({ code: 'DISK_FULL' });

    // And one that fails while it gives them.
    await writeFile(join(folder, 'archive'), archive);
    const failing = await world((bare) => ({
      ...withImages(bare),
      imageExports: async () => [program(`cat ${folder}/archive; echo broken >&2; exit 1`)],
    }));
    await failing.store.insertDeployment({ ...ready, image });
    await expect(failing.backUp()).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      detail: expect.stringContaining('broken'),
    });
  });
});
