/** The data folder of a server: one server at a time, its token, and its note for the CLI. */
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Random } from '../ports/random.ts';

/** 32 symbols each: 260 bits, behind what secret scanners look for. */
const TOKEN_CHARS = 52;

/** What the CLI needs to find a running server. */
export interface ServerNote {
  readonly pid: number;
  /** `host:port` as it is bound. */
  readonly listen: string;
  readonly version: string;
}

/** A data folder that is ours until `release`, or until this process ends, however it ends. */
export interface ClaimedFolder {
  readonly token: string;
  writeNote(note: ServerNote): Promise<void>;
  /** How many instances a stop that removes them has left: `berth down --instances` says it. */
  writeLeft(instances: number): Promise<void>;
  /** For whoever may read our files: `berth up` shows it. */
  writeLoginLink(link: string): Promise<void>;
  removeLoginLink(): Promise<void>;
  /** Removes the note and lets others have the folder. */
  release(): Promise<void>;
}

/** Makes the folder if need be. Throws SERVER_RUNNING with the process that has it, or DATA_FOLDER. */
export async function claimDataFolder(folder: string, random: Random): Promise<ClaimedFolder> {
  let lock: Server | undefined;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    lock = await takeLock(folder);
    const note = join(folder, 'server.json');
    const token = await tokenOf(folder, random);
    const taken = lock;
    return {
      token,
      writeNote: (content) => writeWhole(note, `${JSON.stringify(content)}\n`, 0o644, random),
      writeLeft: (instances) => {
        const text = `${JSON.stringify({ pid: process.pid, instances })}\n`;
        return writeWhole(join(folder, 'left.json'), text, 0o644, random);
      },
      writeLoginLink: (link) => writeWhole(join(folder, 'login-link'), `${link}\n`, 0o600, random),
      removeLoginLink: () => rm(join(folder, 'login-link'), { force: true }),
      async release() {
        await rm(note, { force: true });
        await closeServer(taken);
      },
    };
  } catch (error) {
    if (lock) await closeServer(lock);
    if (error instanceof BerthError) throw error;
    const detail = `${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}.`;
    throw new BerthError('DATA_FOLDER', { detail, cause: error });
  }
}

/**
 * Keeps a second server of the same identity from this machine: one restored from a backup of the other would take its
 * containers for its own. Throws SERVER_RUNNING. The result gives it back.
 */
export async function claimIdentity(ledgerId: string): Promise<() => Promise<void>> {
  const server = await take(
    `\0berth-ledger-${ledgerId}`,
    (holder) =>
      `${holder} serves the same platform from another data folder: two of them on one machine would take each other's instances. Stop that one first.`,
  );
  return () => closeServer(server);
}

async function takeLock(folder: string): Promise<Server> {
  const { dev, ino } = await stat(folder, { bigint: true });
  return take(`\0berth-${dev}-${ino}`, (holder) => `${holder} serves the data folder ${folder}.`);
}

/**
 * The lock is a socket in the kernel's abstract namespace, named after the folder's inode: taking it is atomic, another path to
 * the same folder meets it, and it is gone with its process, so that there is no such thing as a stale one.
 * Who connects is told the process id.
 */
async function take(path: string, detail: (holder: string) => string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${process.pid}\n`);
  });
  const isTaken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(true) : reject(error),
    );
    server.listen(path, () => resolve(false));
  });
  if (isTaken) {
    const holder = await askHolder(path);
    throw new BerthError('SERVER_RUNNING', {
      detail: detail(holder ? `Process ${holder}` : 'Another process'),
    });
  }
  server.unref();
  return server;
}

function askHolder(path: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path);
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.on('error', () => resolve(''));
    socket.on('close', () => resolve(said.trim()));
  });
}

async function tokenOf(folder: string, random: Random): Promise<string> {
  const path = join(folder, 'token');
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (known.trim() !== '') {
    await chmod(path, 0o600);
    return known.trim();
  }
  const token = `berth_${random.id(TOKEN_CHARS)}`;
  await writeWhole(path, `${token}\n`, 0o600, random);
  return token;
}

/** A reader sees the old file or the new one, never half of it. */
async function writeWhole(path: string, text: string, mode: number, random: Random): Promise<void> {
  const temporary = `${path}.${random.id(8)}`;
  await writeFile(temporary, text, { mode, flag: 'wx' });
  await rename(temporary, path);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
