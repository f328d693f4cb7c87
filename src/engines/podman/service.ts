/**
 * Berth's own Podman service on a private socket: started when needed, taken over when an earlier Berth left it behind,
 * started anew when it died. It is not a child that dies with us, and instances do not need it to live.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { ping } from './client.ts';
import type { PodmanCommand } from './command.ts';
import { isAlive, readStat } from './process.ts';

export interface PodmanService {
  readonly socketPath: string;
  readonly pid: number | undefined;
  /** Resolves when it answers, starting it (anew) if need be. Throws ENGINE_UNAVAILABLE. */
  ensure(): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/** What is remembered of a running service, so that the next Berth can judge it. */
interface ServiceRecord {
  readonly pid: number;
  readonly startTicks: number;
  /** Arguments and environment it was started with. */
  readonly fingerprint: string;
}

const START_TIMEOUT_MS = 20_000;
const PING_TIMEOUT_MS = 5_000;
const END_TIMEOUT_MS = 5_000;
/** `sun_path` holds 108 bytes with its end. */
const LONGEST_SOCKET_PATH = 107;

/** The service answers when this resolves. Throws ENGINE_UNAVAILABLE. */
export async function openService(command: PodmanCommand, clock: Clock): Promise<PodmanService> {
  const socketPath = socketPathIn(command.folder);
  const recordFile = join(command.folder, 'service.json');
  const fingerprint = fingerprintOf(command);
  let record = readRecord(recordFile);
  let isClosed = false;

  const isRunning = () => record !== undefined && isAlive(record.pid, record.startTicks);
  const isUsable = async () => {
    if (!isRunning() || record?.fingerprint !== fingerprint) return false;
    return ping(socketPath, PING_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
  };

  const end = async () => {
    const ending = record;
    if (ending === undefined) return;
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (!isAlive(ending.pid, ending.startTicks)) break;
      process.kill(ending.pid, signal);
      const until = clock.now() + END_TIMEOUT_MS;
      while (isAlive(ending.pid, ending.startTicks) && clock.now() < until) await clock.sleep(5);
    }
    record = undefined;
    rmSync(recordFile, { force: true });
    rmSync(socketPath, { force: true });
  };

  const start = async () => {
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    rmSync(socketPath, { force: true });
    const logFile = join(command.folder, 'service.log');
    const log = openSync(logFile, 'w', 0o600);
    const child = spawn(
      command.program,
      [...command.serviceArguments, 'system', 'service', '--time=0', `unix://${socketPath}`],
      { cwd: '/', env: command.serviceEnvironment, detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
    });
    child.unref();
    const stat = child.pid === undefined ? undefined : readStat(child.pid);
    if (child.pid !== undefined && stat) {
      record = { pid: child.pid, startTicks: stat.startTicks, fingerprint };
      writeFileSync(recordFile, JSON.stringify(record), { mode: 0o600 });
    }
    const until = clock.now() + START_TIMEOUT_MS;
    for (;;) {
      await clock.sleep(10);
      const reason = await ping(socketPath, PING_TIMEOUT_MS).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (reason === undefined) return;
      if (failure || !isRunning() || clock.now() > until) {
        const said = readLines(logFile);
        await end();
        throw new BerthError('ENGINE_UNAVAILABLE', {
          detail: `The Podman service could not be started: ${failure?.message ?? said.at(-1) ?? 'it does not answer'}.`,
          log: said,
          cause: failure ?? reason,
        });
      }
    }
  };

  let ensuring: Promise<void> | undefined;
  const ensure = (): Promise<void> => {
    ensuring ??= (async () => {
      try {
        if (isClosed)
          throw new BerthError('ENGINE_UNAVAILABLE', { detail: 'The engine was closed.' });
        if (await isUsable()) return;
        // Another Berth over the same folder may have been quicker.
        record = readRecord(recordFile);
        if (await isUsable()) return;
        await end();
        await start();
      } finally {
        ensuring = undefined;
      }
    })();
    return ensuring;
  };

  await ensure();
  return {
    socketPath,
    get pid() {
      return record?.pid;
    },
    ensure,
    async close() {
      isClosed = true;
      await ensuring?.catch(() => undefined);
      await end();
    },
  };
}

function socketPathIn(folder: string): string {
  const path = join(folder, 'podman.sock');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return join('/run', `berth-${name}`, 'podman.sock');
}

function fingerprintOf(command: PodmanCommand): string {
  const facts = [command.program, command.serviceArguments, command.serviceEnvironment];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

function readRecord(file: string): ServiceRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ServiceRecord;
  } catch {
    return undefined;
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .slice(-10)
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
