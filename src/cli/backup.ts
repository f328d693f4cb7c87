/** `berth backup`: writes what the server sends into a file that has its name only when it is whole. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checked } from '../backup/check.ts';
import { BerthError } from '../core/errors.ts';
import { bytesInWords } from '../core/words.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { type PassphraseOptions, readPassphrase } from './passphrase.ts';
import type { GlobalOptions } from './program.ts';

export interface BackupOptions extends GlobalOptions, PassphraseOptions {
  /** False with `--no-images`. */
  readonly images: boolean;
}

const SHOW_EVERY_BYTES = 8 * 1024 * 1024;

export async function run(context: Context, file: string, options: BackupOptions): Promise<void> {
  const { world, output } = context;
  if (file === '-' && world.stdout.isTTY) {
    throw new BerthError('USAGE', {
      detail: 'A backup is no text: send it to a file or a program.',
    });
  }
  const client = await connect(context, options);
  const passphrase = await readPassphrase(world, options, true);
  const step = output.step('Backing up');
  let bytes = 0;
  let shown = 0;
  const counted = async function* (source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes - shown > SHOW_EVERY_BYTES) step.update(`Backing up: ${bytesInWords(bytes)}`);
      if (bytes - shown > SHOW_EVERY_BYTES) shown = bytes;
      yield chunk;
    }
  };
  try {
    const body = await client.backup({ passphrase, images: options.images }, world.interrupted);
    const chunks = checked(counted(received(body)));
    if (file === '-') for await (const chunk of chunks) await world.writeOutput(chunk);
    else await writeWhole(resolve(world.folder, file), chunks);
  } catch (error) {
    step.fail('There is no backup');
    throw error;
  }
  const where = file === '-' ? 'standard output' : file;
  step.done(`Backed up to ${where}: ${bytesInWords(bytes)}`);
  if (file === '-') return;
  if (output.isJson) {
    output.json({ file: resolve(world.folder, file), bytes, images: options.images });
  } else if (!output.isTerminal) output.print(file);
}

/** A connection that breaks is a failure of the backup, and not of the program. */
async function* received(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const detail = `The connection to the server broke: ${said}.`;
    throw new BerthError('BACKUP_FAILED', { detail, cause });
  }
}

/** Beside its place until it is whole and on the disk; then it takes the place of an older one, too. */
async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const unfinished = `${path}.unfinished-${process.pid}`;
  try {
    const written = await open(unfinished, 'wx', 0o600);
    try {
      for await (const chunk of chunks) await written.writeFile(chunk);
      await written.sync();
    } finally {
      await written.close();
    }
    await rename(unfinished, path);
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    await rm(unfinished, { force: true });
    if (error instanceof BerthError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const detail = `${path} could not be written: ${message}.`;
    throw new BerthError(isFull ? 'DISK_FULL' : 'BACKUP_FAILED', { detail, cause: error });
  }
}
