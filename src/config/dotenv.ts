/** Reads the dotenv file that a configuration asks for. */
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
