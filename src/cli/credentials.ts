/** The servers that somebody logged in to, in the user's own folder: addresses and tokens, for nobody else to read. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { World } from './world.ts';

export interface Credentials {
  /** The server that commands go to; absent: the one of this machine. */
  readonly current?: string;
  /** Address without a slash at the end → token. */
  readonly tokens: Readonly<Record<string, string>>;
}

const NONE: Credentials = { tokens: {} };

/** `$XDG_CONFIG_HOME/berth/servers.json`. */
export function credentialsFile({ env, homeFolder }: World): string {
  return join(env.XDG_CONFIG_HOME || join(homeFolder, '.config'), 'berth', 'servers.json');
}

/** What was kept; nothing when there is no file. Throws USAGE for one that cannot be read. */
export async function readCredentials(world: World): Promise<Credentials> {
  const file = credentialsFile(world);
  try {
    const { current, tokens } = JSON.parse(await readFile(file, 'utf8')) as Partial<Credentials>;
    return { tokens: tokens ?? {}, ...(current === undefined ? {} : { current }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NONE;
    const detail = `${file} cannot be read: remove it, and log in again.`;
    throw new BerthError('USAGE', { detail, cause: error });
  }
}

/** Replaces the whole file, mode 0600. */
export async function writeCredentials(world: World, credentials: Credentials): Promise<void> {
  const file = credentialsFile(world);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  await writeFile(temporary, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600 });
  // One that was left over keeps the mode it had.
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}
