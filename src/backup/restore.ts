/** Fills an empty data folder from a backup: everything is checked first, and a mark stands in the folder until all is there. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { bytesInWords } from '../core/words.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Store } from '../ports/store.ts';
import { invalid } from './check.ts';
import { runImport } from './engine-programs.ts';
import {
  CERTIFICATES,
  DATABASE,
  IMAGES,
  KEY_FILE,
  SAFE_NAME,
  SEALED,
  type Content,
} from './format.ts';
import { readMark, removeMark, writeMark } from './mark.ts';
import { presentImages } from './present.ts';
import { type Backup, bufferOf, type Entry, openBackup } from './read.ts';
import { openSealed } from './seal.ts';

export interface RestoreNeeds {
  /** The data folder; made when it is not there. */
  readonly folder: string;
  /** The newest form of the data file that is known. */
  readonly form: number;
  readonly clock: Clock;
  /** Keeps servers and other restores out of the folder. Throws SERVER_RUNNING. */
  readonly claim: () => Promise<{ release(): Promise<void> }>;
  /** Throws SERVER_RUNNING when the server that the backup is of runs on this machine. */
  readonly refuseTwin: (ledger: string) => Promise<void>;
  readonly openStore: (file: string) => Promise<Store>;
  /** The engine of a server with these data. */
  readonly openEngine: (store: Store) => Promise<Engine>;
  /** Everything written to this file system is on the disk when it resolves. */
  readonly sync: (folder: string) => Promise<void>;
  /** Hears of each step as it begins. */
  readonly tell: (step: 'checking' | 'files' | 'images') => void;
}

export interface Restored {
  /** ISO 8601: when the backup was made. */
  readonly createdAt: string;
  readonly version: string;
  readonly files: number;
  readonly bytes: number;
  readonly deployments: number;
  readonly images: number;
  /** Ready deployments whose image is not here: they are to be deployed again. */
  readonly withoutImage: readonly string[];
}

/** What a server or an earlier restore writes; a folder with one of these is not empty. */
const OURS = [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, KEY_FILE, 'blobs', 'certificates'];
/** For the first start. */
const ROOM_LEFT_BYTES = 64 * 1024 * 1024;

/**
 * Throws, with nothing written: USAGE, BACKUP_INVALID, BACKUP_NEWER, PASSPHRASE_WRONG, DATA_EXISTS, SERVER_RUNNING,
 * DISK_FULL. Later: DISK_FULL, ENGINE_FAILED, ENGINE_UNAVAILABLE, HOST_UNSUPPORTED; the folder is marked then.
 */
export async function restore(
  needs: RestoreNeeds,
  given: { readonly file: string; readonly passphrase: string },
): Promise<Restored> {
  const { folder, tell } = needs;
  tell('checking');
  const backup = await openBackup(given.file, given.passphrase, needs.form);
  const small = await openSmall(backup);
  await refuseData(folder);
  await refuseWithoutRoom(folder, backup);
  await needs.refuseTwin(backup.header.ledger);
  const claimed = await needs.claim();
  try {
    // Looked at again: somebody may have been quicker.
    await refuseData(folder);
    await writing(folder, async () => {
      await writeMark(folder, `begun ${new Date(needs.clock.now()).toISOString()}`);
      for (const name of OURS) await rm(join(folder, name), { recursive: true, force: true });
    });
    tell('files');
    const files = await writing(folder, () => writeFiles(folder, backup, small));
    const facts = await settle(needs, backup);
    await needs.sync(folder);
    await removeMark(folder);
    const { createdAt, version } = backup.header;
    return { createdAt, version, files, bytes: backup.contents.bytes, ...facts };
  } finally {
    await claimed.release();
  }
}

/** Throws DATA_EXISTS, unless what is there was left by a restore that did not end. */
async function refuseData(folder: string): Promise<void> {
  if ((await readMark(folder)) !== undefined) return;
  const names: readonly string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new BerthError('DATA_FOLDER', { detail: `${folder}: ${error.message}.`, cause: error });
  });
  const found = OURS.filter((name) => names.includes(name));
  if (found.length === 0) return;
  throw new BerthError('DATA_EXISTS', { detail: `${folder} has ${found.join(', ')}.` });
}

/** Images go where the engine keeps them: it says itself when they do not fit. */
async function refuseWithoutRoom(folder: string, { contents }: Backup): Promise<void> {
  const wanted = sum(contents.entries.filter(({ name }) => !name.startsWith(IMAGES)));
  const { bavail, bsize } = await statfs(await nearest(folder));
  const free = bavail * bsize;
  if (free >= wanted + ROOM_LEFT_BYTES) return;
  throw new BerthError('DISK_FULL', {
    detail: `${bytesInWords(wanted)} are to be written to ${folder}, and ${bytesInWords(free)} are free there.`,
  });
}

function sum(entries: readonly Content[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0);
}

/** The folder, or the one above it that is there. */
async function nearest(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const isThere = await readdir(at).then(
      () => true,
      () => false,
    );
    if (isThere || dirname(at) === at) return at;
  }
}

/** What was encrypted, by its name in the folder: opened before anything is written, so that a bad one costs nothing. */
async function openSmall(backup: Backup): Promise<ReadonlyMap<string, Buffer>> {
  const opened = new Map<string, Buffer>();
  for await (const entry of backup.entries()) {
    if (!entry.name.endsWith(SEALED)) {
      for await (const _ of entry.content);
      continue;
    }
    const bytes = openSealed(await bufferOf(entry), backup.key, entry.name);
    if (bytes === undefined) throw invalid(`${entry.name} in it cannot be opened.`);
    opened.set(placeOf(entry.name), bytes);
  }
  return opened;
}

/** Where an entry belongs in the data folder. Throws BACKUP_INVALID for one that could lead out of it. */
function placeOf(name: string): string {
  if (name === DATABASE || name === `${KEY_FILE}${SEALED}`) return name.replace(SEALED, '');
  const folder = name.slice(0, name.indexOf('/') + 1);
  const isSafe = folder !== IMAGES && SAFE_NAME[folder]?.test(name);
  if (!isSafe) throw invalid(`It has an entry of a strange name, ${JSON.stringify(name)}.`);
  return folder === CERTIFICATES ? name.slice(0, -SEALED.length) : name;
}

/** How many. Each is compared with the list of contents on its way. */
async function writeFiles(
  folder: string,
  backup: Backup,
  opened: ReadonlyMap<string, Buffer>,
): Promise<number> {
  const wanted = new Map(backup.contents.entries.map((content) => [content.name, content]));
  const made = new Set<string>();
  const write = async (name: string, content: Iterable<Buffer> | AsyncIterable<Buffer>) => {
    const path = join(folder, name);
    if (!made.has(dirname(path))) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    made.add(dirname(path));
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of content) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
  };
  for await (const entry of backup.entries()) {
    if (!wanted.has(entry.name) || entry.name.startsWith(IMAGES)) {
      for await (const _ of entry.content);
      continue;
    }
    const place = placeOf(entry.name);
    const plain = opened.get(place);
    const content = compared(entry, wanted.get(entry.name)?.sha256);
    if (plain === undefined) await write(place, content);
    else {
      for await (const _ of content);
      await write(place, [plain]);
    }
    wanted.delete(entry.name);
  }
  const [missing] = [...wanted.keys()].filter((name) => !name.startsWith(IMAGES));
  if (missing !== undefined) throw invalid(`${missing} is in its list, and not in it.`);
  return backup.contents.entries.filter(({ name }) => !name.startsWith(IMAGES)).length;
}

async function* compared(entry: Entry, sha256: string | undefined): AsyncGenerator<Buffer, void> {
  const hash = createHash('sha256');
  for await (const chunk of entry.content) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) throw invalid(`${entry.name} in it is damaged.`);
}

/** Brings the data up to this version and this machine: its images, and a ledger that names what is here. */
async function settle(
  needs: RestoreNeeds,
  backup: Backup,
): Promise<Pick<Restored, 'deployments' | 'images' | 'withoutImage'>> {
  const store = await needs.openStore(join(needs.folder, DATABASE));
  try {
    const engine = await needs.openEngine(store);
    try {
      if (engine.imageImport && backup.contents.images.length > 0) {
        needs.tell('images');
        for (const parts of archives(backup)) await runImport(engine.imageImport(), parts);
      }
      const deployments = await store.deployments();
      const there = await presentImages(engine, [
        ...backup.contents.images,
        ...deployments.flatMap(({ image }) => (image ? [image.id] : [])),
        ...(await store.ledger()).flatMap(({ kind, id }) =>
          kind === 'network' || kind === 'container' ? [] : [id],
        ),
      ]);
      const lost = backup.contents.images.filter((id) => !there.has(id));
      if (engine.imageImport && lost.length > 0) {
        throw new BerthError('ENGINE_FAILED', {
          detail: `The engine took the images and does not have ${lost.join(', ')}.`,
        });
      }
      await fitLedger(store, engine, there);
      const isWithout = (image: { readonly id: string } | undefined) =>
        engine.imageImport !== undefined && image !== undefined && !there.has(image.id);
      const withoutImage = deployments
        .filter(({ state, image }) => state === 'ready' && isWithout(image))
        .map(({ id }) => id);
      await store.appendAudit({
        at: needs.clock.now(),
        actor: 'local',
        action: 'backup.restored',
        subject: 'platform',
        team: 'default',
        detail: `from a backup of ${backup.header.createdAt} by Berth ${backup.header.version}`,
      });
      const images = engine.imageImport ? backup.contents.images.length : 0;
      return { deployments: deployments.length, images, withoutImage };
    } finally {
      await engine.close();
    }
  } finally {
    await store.close();
  }
}

/** What the old machine had and this one has not is forgotten: containers, layers of builds, images that did not come along. */
async function fitLedger(store: Store, engine: Engine, images: ReadonlySet<string>): Promise<void> {
  const containers = new Set((await engine.list()).map(({ id }) => id));
  for (const { kind, id } of await store.ledger()) {
    const isHere =
      kind === 'network' || (kind === 'container' ? containers.has(id) : images.has(id));
    if (!isHere) await store.forget(kind, id);
  }
  for (const id of (await store.busyUntil()).keys()) {
    if (!containers.has(id)) await store.forgetBusy(id);
  }
}

/** The parts of each archive of images, in order. */
function archives(backup: Backup): readonly AsyncIterable<Buffer>[] {
  const archiveOf = (name: string) => name.slice(0, name.lastIndexOf('.'));
  const names = backup.contents.entries
    .map(({ name }) => name)
    .filter((name) => name.startsWith(IMAGES));
  const parts = async function* (archive: string): AsyncGenerator<Buffer, void> {
    for await (const entry of backup.entries()) {
      if (entry.name.startsWith(IMAGES) && archiveOf(entry.name) === archive) yield* entry.content;
      else for await (const _ of entry.content);
    }
  };
  return [...new Set(names.map(archiveOf))].map(parts);
}

/** Failures of the disk in the words of the catalogue. */
async function writing<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BerthError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw new BerthError(isFull ? 'DISK_FULL' : 'DATA_FOLDER', {
      detail: `${folder}: ${message}.`,
      cause: error,
    });
  }
}
