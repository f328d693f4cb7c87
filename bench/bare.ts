/** The other side: the same program as a plain process, spawned and asked until it answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { firstByte, type Target } from './first-byte.ts';

const PROGRAM = fileURLToPath(new URL('app/server.mjs', import.meta.url));

/** A port of this machine that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface Bare {
  readonly target: Target;
  /** From spawn until the first byte, in ms. */
  readonly ms: number;
  stop(): Promise<void>;
}

/** Spawns the program with nothing but PATH and PORT in its environment, as a container would have it. */
export async function startBare(path = '/'): Promise<Bare> {
  const port = await freePort();
  const target = { host: '127.0.0.1', port, authority: '127.0.0.1', path };
  const began = performance.now();
  const child = spawn(process.execPath, [PROGRAM], {
    env: { PATH: process.env.PATH ?? '', PORT: String(port) },
    stdio: 'ignore',
  });
  await answered(target);
  const ms = performance.now() - began;
  return { target, ms, stop: () => stop(child) };
}

/** Tries again at once while the connection is refused. @throws Error after ten seconds. */
export async function answered(target: Target): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await firstByte(target);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
