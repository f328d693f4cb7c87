/** Writes a backup as a stream: never more than a part of it in memory, and a last line that says whether it is whole. */
import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack, type Pack } from 'tar-stream';
import { BerthError } from '../core/errors.ts';
import { runExport } from './engine-programs.ts';
import {
  badTrailer,
  BLOBS,
  CERTIFICATES,
  type Content,
  type Contents,
  CONTENTS,
  DATABASE,
  goodTrailer,
  HEADER,
  type Header,
  imagePart,
  KEY_FILE,
  SEALED,
} from './format.ts';
import type { Order } from './needs.ts';
import { createSealer, deriveKey } from './seal.ts';

/** What the proof in the header is made of, and what each sealed entry is bound to. */
export const PROOF = 'berth backup';

type Seal = ReturnType<typeof createSealer>;

/** Never throws: what goes wrong is said in the last line. */
export async function* writeBackup(order: Order): AsyncGenerator<Buffer, void> {
  const archive = pack();
  const hash = createHash('sha256');
  let failure: unknown;
  const filled = fill(archive, order).catch((error: unknown) => {
    failure = error;
    archive.destroy();
  });
  try {
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    failure ??= error;
  } finally {
    // Whoever reads no more ends the filling.
    archive.destroy();
  }
  await filled;
  yield Buffer.from(
    failure === undefined ? goodTrailer(hash.digest('hex')) : badTrailer(codeOf(failure)),
  );
}

async function fill(archive: Pack, order: Order): Promise<void> {
  const key = await deriveKey(order.passphrase, order.header.key);
  const seal = createSealer(key);
  const proof = seal(Buffer.from(PROOF), PROOF).toString('base64');
  const entries: Content[] = [];
  const add = async (name: string, content: Buffer) => {
    await addEntry(archive, name, content.length, [content]);
    entries.push({ name, bytes: content.length, sha256: sha256(content) });
  };

  const header: Header = { ...order.header, proof };
  const headerText = Buffer.from(`${JSON.stringify(header, undefined, 2)}\n`);
  await addEntry(archive, HEADER, headerText.length, [headerText]);
  await addFile(archive, entries, DATABASE, order.database);
  await addKeys(order, seal, add);
  for (const name of await filesBelow(order.certificates)) {
    const content = await readFile(join(order.certificates, name));
    const at = `${CERTIFICATES}${name}${SEALED}`;
    await add(at, seal(content, at));
  }
  for (const folder of await namesIn(order.blobs)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of await namesIn(join(order.blobs, folder))) {
      await addFile(archive, entries, `${BLOBS}${folder}/${name}`, join(order.blobs, folder, name));
    }
  }
  for (const [index, program] of order.exports.entries()) {
    let part = 0;
    for await (const bytes of runExport(program)) await add(imagePart(index, part++), bytes);
  }
  const contents: Contents = {
    entries,
    images: order.imageIds,
    missingImages: order.missingImages,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const text = Buffer.from(`${JSON.stringify(contents, undefined, 1)}\n`);
  await addEntry(archive, CONTENTS, text.length, [text]);
  archive.finalize();
}

/**
 * The master key may have been changed between the copy of the data and now: with the keys of before and of now, one of
 * them opens what is in the copy. The next start ends the change.
 */
async function addKeys(
  { keyFile, keysBefore }: Order,
  seal: Seal,
  add: (name: string, content: Buffer) => Promise<void>,
): Promise<void> {
  const now = await readFile(keyFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const text = now ?? keysBefore;
  if (text === undefined) return;
  const lines = text.split('\n').filter((line) => line !== '');
  const more = (keysBefore ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !lines.includes(line));
  const at = `${KEY_FILE}${SEALED}`;
  await add(at, seal(Buffer.from(`${[...lines, ...more].join('\n')}\n`), at));
}

/** One that is gone was removed with its deployment since the data were copied. */
async function addFile(
  archive: Pack,
  entries: Content[],
  name: string,
  path: string,
): Promise<void> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return;
    const { size } = stat;
    const hash = createHash('sha256');
    const hashed = async function* () {
      for await (const chunk of file.createReadStream({ end: size - 1, autoClose: false })) {
        hash.update(chunk as Buffer);
        yield chunk as Buffer;
      }
    };
    await addEntry(archive, name, size, size === 0 ? [] : hashed());
    entries.push({ name, bytes: size, sha256: hash.digest('hex') });
  } finally {
    await file.close();
  }
}

async function addEntry(
  archive: Pack,
  name: string,
  size: number,
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const entry = archive.entry({ name, size, mode: 0o600, mtime: new Date(0) }, (error) =>
    error ? ended.reject(error) : ended.resolve(),
  );
  // A reader that left destroys the archive, and the entry with it.
  const closed = new Promise<void>((resolve) => entry.once('close', resolve));
  void closed.then(() => ended.resolve());
  let written = 0;
  for await (const chunk of content) {
    written += chunk.length;
    if (!entry.write(chunk)) {
      const drained = new Promise<void>((resolve) => entry.once('drain', resolve));
      await Promise.race([drained, closed]);
    }
    if (archive.destroyed) throw new BerthError('BACKUP_FAILED', { detail: 'Nobody reads on.' });
  }
  if (written !== size) {
    throw new BerthError('BACKUP_FAILED', { detail: `${name} became shorter while it was read.` });
  }
  entry.end(undefined);
  await ended.promise;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return names.toSorted();
}

/** Paths of files, with `/` between. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) found.push(entry.name);
    else if (entry.isDirectory()) {
      const below = await filesBelow(join(folder, entry.name));
      found.push(...below.map((name) => `${entry.name}/${name}`));
    }
  }
  return found.toSorted();
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function codeOf(failure: unknown): { readonly code: string; readonly detail: string } {
  if (failure instanceof BerthError) return { code: failure.code, detail: failure.detail };
  const detail = failure instanceof Error ? failure.message : String(failure);
  const isFull = /ENOSPC|EDQUOT/.test(detail);
  return { code: isFull ? 'DISK_FULL' : 'BACKUP_FAILED', detail: `${detail}.` };
}
