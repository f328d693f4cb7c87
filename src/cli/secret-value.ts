/** Where the value of a secret comes from: a prompt without echo, standard input or a file, and never the command line. */
import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { BerthError } from '../core/errors.ts';
import type { World } from './world.ts';

export interface ValueOptions {
  readonly file?: string;
}

/** The name in `NAME` and `NAME=-`. Throws USAGE for `NAME=value`: it would stay in the history of the shell. */
export function secretName(given: string): string {
  const equals = given.indexOf('=');
  if (equals === -1) return given;
  if (given.slice(equals + 1) === '-') return given.slice(0, equals);
  throw new BerthError('USAGE', {
    detail: `A value on the command line stays in the history of the shell and shows in the list of processes: give ${given.slice(0, equals)} alone and type the value when asked, pipe it in, or use --file.`,
  });
}

/**
 * A file gives its bytes exactly. Of standard input the last line end is left out, because `echo` adds one that nobody
 * means. Throws USAGE.
 */
export async function readValue(
  world: World,
  name: string,
  { file }: ValueOptions,
): Promise<string> {
  if (file !== undefined && file !== '-') return decode(await bytesOf(world, file), file);
  if (file === undefined && world.canAsk) return ask(name);
  const text = decode(await world.readInput(), 'Standard input');
  return text.replace(/\r?\n$/, '');
}

async function ask(name: string): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({
    message: `Value of ${name}`,
    validate: (value) => (value ? undefined : 'It is empty.'),
  });
  if (isCancel(answer)) throw new BerthError('USAGE', { detail: 'No value was given.' });
  return answer;
}

async function bytesOf(world: World, file: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(world.folder, file));
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('USAGE', { detail: `${file} cannot be read: ${said}.`, cause });
  }
}

/** A variable is text: bytes that are none would come out as others. */
function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BerthError('USAGE', {
      detail: `${what} is no UTF-8 text, and a variable can be nothing else: encode it, as base64 for example.`,
    });
  }
}
