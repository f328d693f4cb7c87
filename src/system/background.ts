/** Starts a process that outlives this one, and looks after processes by their id. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Starts a program in a session of its own, its output appended to `logFile` (its folder is made). Resolves with its id. */
export async function startInBackground(
  program: string,
  args: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  await mkdir(dirname(logFile), { recursive: true });
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(program, [...args], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: '/',
      env,
    });
    const processId = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    child.unref();
    return processId;
  } finally {
    await log.close();
  }
}

/**
 * Whether a process is there, has not ended (a zombie has no command line), and has `word` among its arguments:
 * a process id that was written down may belong to something else after a reboot.
 */
export function isRunning(processId: number, word: string): boolean {
  try {
    return readFileSync(`/proc/${processId}/cmdline`, 'utf8').split('\0').includes(word);
  } catch {
    return false;
  }
}

/** False when there is no such process. */
export function signalProcess(processId: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(processId, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
