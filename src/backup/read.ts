/** Reads a backup that was checked: its header, and then entry by entry. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { extract } from 'tar-stream';
import { BerthError } from '../core/errors.ts';
import { checkFile, invalid } from './check.ts';
import { CONTENTS, type Contents, FORMAT, HEADER, type Header } from './format.ts';
import { deriveKey, openSealed } from './seal.ts';
import { PROOF } from './pack.ts';

export interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Buffer>;
}

/** A backup of which every byte is as it was written, and which this passphrase opens. */
export interface Backup {
  readonly header: Header;
  readonly contents: Contents;
  readonly key: Buffer;
  /** In order. Each has to be read before the next. */
  entries(): AsyncGenerator<Entry, void>;
}

/** Throws BACKUP_INVALID, BACKUP_NEWER, PASSPHRASE_WRONG, or USAGE for what is no file. `form`: the newest known. */
export async function openBackup(path: string, passphrase: string, form: number): Promise<Backup> {
  const bytes = await checkFile(path);
  const entries = () => entriesOf(path, bytes);
  const header = await headerOf(entries(), form);
  const key = await deriveKey(passphrase, header.key);
  if (openSealed(Buffer.from(header.proof, 'base64'), key, PROOF) === undefined) {
    throw new BerthError('PASSPHRASE_WRONG', {
      detail: `${path} was sealed with another passphrase.`,
    });
  }
  let contents: Contents | undefined;
  for await (const entry of entries()) {
    if (entry.name === CONTENTS) contents = (await json(entry)) as Contents;
    else for await (const _ of entry.content);
  }
  if (!contents) throw invalid('It has no list of contents.');
  return { header, contents, key, entries };
}

export async function bufferOf({ content }: Entry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* entriesOf(path: string, bytes: number): AsyncGenerator<Entry, void> {
  const archive = extract();
  // What fails in it is thrown by the loop.
  pipeline(createReadStream(path, { end: bytes - 1 }), archive, () => undefined);
  try {
    for await (const entry of archive) {
      yield {
        name: entry.header.name,
        bytes: entry.header.size ?? 0,
        content: entry as AsyncIterable<Buffer>,
      };
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw invalid('It is no tar archive.', error);
  } finally {
    archive.destroy();
  }
}

async function headerOf(entries: AsyncGenerator<Entry, void>, form: number): Promise<Header> {
  for await (const entry of entries) {
    if (entry.name !== HEADER) break;
    const header = (await json(entry)) as Header;
    if (header.kind !== 'berth backup') break;
    if (header.format > FORMAT || header.form > form) {
      throw new BerthError('BACKUP_NEWER', {
        detail: `It was made by Berth ${header.version} (form ${header.format}, data ${header.form}); this version knows form ${FORMAT}, data ${form}.`,
      });
    }
    return header;
  }
  throw invalid('It is a tar archive, but no backup of Berth.');
}

async function json(entry: Entry): Promise<unknown> {
  try {
    return JSON.parse((await bufferOf(entry)).toString());
  } catch (error) {
    throw invalid(`${entry.name} in it is not JSON.`, error);
  }
}
