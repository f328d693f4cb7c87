/** The engine's own programs for archives of images: run, fed, and their failures named. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { BerthError, type ErrorCode } from '../core/errors.ts';
import type { EngineProgram } from '../ports/engine.ts';

/** An entry of the archive is held in memory whole. */
const PART_BYTES = 4 * 1024 * 1024;
/** Lines of what a program said that are shown. */
const SAID_LINES = 3;

/** What a program writes, compressed and in parts. Throws BACKUP_FAILED or DISK_FULL with what it said. */
export async function* runExport(order: EngineProgram): AsyncGenerator<Buffer, void> {
  const child = start(order);
  const said = text(child.stderr);
  const exited = once(child, 'exit');
  // Waited for below; should the reader leave first, nobody does.
  exited.catch(() => undefined);
  child.stdin.end();
  try {
    let held: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of child.stdout.pipe(createZstdCompress()) as AsyncIterable<Buffer>) {
      held.push(chunk);
      bytes += chunk.length;
      if (bytes < PART_BYTES) continue;
      yield Buffer.concat(held, bytes);
      held = [];
      bytes = 0;
    }
    const [code] = (await exited) as [number | null];
    if (code !== 0) throw failed('BACKUP_FAILED', 'The engine did not give its images', await said);
    if (bytes > 0) yield Buffer.concat(held, bytes);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Gives a program the parts of one archive. Throws ENGINE_FAILED or DISK_FULL with what it said. */
export async function runImport(order: EngineProgram, parts: AsyncIterable<Buffer>): Promise<void> {
  const child = start(order);
  const said = text(child.stderr);
  const exited = once(child, 'exit');
  exited.catch(() => undefined);
  child.stdout.resume();
  try {
    // What it says when it ends before its input does explains more than the broken pipe.
    const fed = await pipeline(Readable.from(parts), createZstdDecompress(), child.stdin).then(
      () => undefined,
      (error: unknown) => error,
    );
    const isBroken = fed instanceof Error && 'code' in fed && fed.code === 'EPIPE';
    if (fed instanceof Error && !isBroken) throw fed;
    const [code] = (await exited) as [number | null];
    if (code !== 0) throw failed('ENGINE_FAILED', 'The engine did not take the images', await said);
  } finally {
    child.kill('SIGKILL');
  }
}

function start(order: EngineProgram) {
  const child = spawn(order.program, [...order.arguments], {
    cwd: '/',
    env: { ...order.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined);
  return child;
}

function failed(code: ErrorCode, what: string, said: string): BerthError {
  const lines = said
    .split('\n')
    .filter((line) => line.trim() !== '' && !/level=(warning|info|debug)/.test(line));
  const isFull = /no space left on device|disk quota exceeded/i.test(said);
  return new BerthError(isFull ? 'DISK_FULL' : code, {
    detail: `${what}: ${lines.slice(-SAID_LINES).join(' ').trim() || 'it did not say why'}.`,
  });
}
