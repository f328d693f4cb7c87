/** Where the server is: the data folder's note of a running one, or what the environment says of a remote one. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import type { World } from './world.ts';

/** What `berth serve` writes into `server.json` of its data folder. */
export interface ServerNote {
  readonly pid: number;
  /** `host:port` as it is bound. */
  readonly listen: string;
  readonly version: string;
}

export interface ServerAddress {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** The process, when it runs on this machine. */
  readonly pid?: number;
}

export interface AddressOptions {
  readonly data?: string;
}

/** `--data`, BERTH_DATA, `/var/lib/berth` for root, else `~/.local/share/berth`. */
export function dataFolder(world: World, options: AddressOptions): string {
  const named = options.data ?? world.env.BERTH_DATA;
  if (named) return resolve(world.folder, named);
  if (world.isRoot) return '/var/lib/berth';
  return join(world.env.XDG_DATA_HOME || join(world.homeFolder, '.local/share'), 'berth');
}

/** The note of a server whose process is alive; undefined when there is none, or it is left over from a killed one. */
export async function runningServer(world: World, data: string): Promise<ServerNote | undefined> {
  const note = parseNote(await readFile(join(data, 'server.json'), 'utf8').catch(() => ''));
  return note && world.background.isServer(note.pid) ? note : undefined;
}

/** Throws SERVER_NOT_RUNNING, or UNAUTHORIZED when the token cannot be read. */
export async function serverAddress(world: World, options: AddressOptions): Promise<ServerAddress> {
  const { BERTH_TOKEN: token } = world.env;
  const remote = await remoteServer(world, options);
  if (remote) {
    const { url, tokens } = remote;
    const known = token || tokens[url];
    if (known) return { url, token: known };
    throw new BerthError('UNAUTHORIZED', {
      detail: `BERTH_URL is ${url} and BERTH_TOKEN is not set: \`berth login ${url}\` keeps one.`,
    });
  }
  const data = dataFolder(world, options);
  const note = await runningServer(world, data);
  if (!note) {
    throw new BerthError('SERVER_NOT_RUNNING', { detail: `No server runs for ${data}.` });
  }
  return { url: urlOf(note.listen), token: token || (await readToken(data)), pid: note.pid };
}

/** The server elsewhere that is meant: BERTH_URL, or the last login, unless a data folder is named. */
export async function remoteServer(
  world: World,
  options: AddressOptions,
): Promise<{ readonly url: string; readonly tokens: Credentials['tokens'] } | undefined> {
  if (options.data !== undefined) return undefined;
  const { BERTH_URL: named, BERTH_DATA: data } = world.env;
  if (!named && data) return undefined;
  const { current, tokens } = await readCredentials(world);
  const url = named ? named.replace(/\/+$/, '') : current;
  return url === undefined ? undefined : { url, tokens };
}

/** `0.0.0.0:8080` → `http://127.0.0.1:8080`: an address that can be connected to. */
export function urlOf(listen: string, proto: 'http' | 'https' = 'http'): string {
  return `${proto}://${listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')}`;
}

async function readToken(data: string): Promise<string> {
  const path = join(data, 'token');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new BerthError('UNAUTHORIZED', { detail: `${path} cannot be read.`, cause });
  }
}

function parseNote(text: string): ServerNote | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Absent, or the server was killed while it wrote: the same as not running.
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, listen, version } = value as Partial<Record<keyof ServerNote, unknown>>;
  if (typeof pid !== 'number' || typeof listen !== 'string') return undefined;
  return { pid, listen, version: typeof version === 'string' ? version : 'unknown' };
}
