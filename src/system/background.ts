/** Starts a process that outlives this one, and looks after processes by their id. */
import { spawn } from 'node:child_process';
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

/** Also true for a process of another user. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** False when there is no such process. */
export function signalProcess(processId: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    return process.kill(processId, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
