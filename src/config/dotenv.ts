/** Reads the dotenv file that a configuration asks for, and writes variables in that form. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { BerthError } from '../core/errors.ts';
import { normalisePath } from './fields.ts';
import type { ConfigFile } from './keys.ts';

/** The variables of `.env`, or of the file named; none when `dotenv` is absent or false. Throws CONFIG_INVALID when the file cannot be read. */
export async function readDotenv(
  folder: string,
  dotenv: ConfigFile['dotenv'],
): Promise<Readonly<Record<string, string>>> {
  if (dotenv === undefined || dotenv === false) return {};
  const name = dotenv === true ? '.env' : normalisePath(dotenv);
  const text = await readFile(join(resolve(folder), name), 'utf8').catch(() => {
    const message = `dotenv asks for ${name}, which cannot be read`;
    throw new BerthError('CONFIG_INVALID', {
      detail: message,
      problems: [{ at: 'dotenv', message }],
    });
  });
  const values = parseEnv(text);
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? '']));
}

/** Variables as the text of a dotenv file, by name, and the names of those whose values that form cannot hold. */
export function formatDotenv(variables: Readonly<Record<string, string>>): {
  readonly text: string;
  readonly unwritable: readonly string[];
} {
  const unwritable: string[] = [];
  let text = '';
  for (const name of Object.keys(variables).toSorted()) {
    const value = variables[name] ?? '';
    // A quote that is not closed would swallow the lines behind it.
    const line = ['', "'", '`', '"']
      .filter((quote) => (quote === '' ? !/['"`]/.test(value) : !value.includes(quote)))
      .map((quote) => `${name}=${quote}${value}${quote}\n`)
      // What reads it is asked, rather than its rules told again here.
      .find((written) => isReadAs(written, name, value));
    if (line === undefined) unwritable.push(name);
    else text += line;
  }
  return { text, unwritable };
}

/** This and nothing else comes out of it. */
function isReadAs(written: string, name: string, value: string): boolean {
  const { [name]: read, END: end, ...others } = parseEnv(`${written}END=x`);
  if (name === 'END') return parseEnv(written).END === value;
  return read === value && end === 'x' && Object.keys(others).length === 0;
}
