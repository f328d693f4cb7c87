/** The newest lines of one log file, read from its end backwards as far as needed. */
import type { FileHandle } from 'node:fs/promises';
import { type FileLine, LineAssembler } from './assemble.ts';

/** What is read in one go: some 600 lines, parsed in well under a millisecond, and then other work has its turn. */
const CHUNK_BYTES = 64 * 1024;

/** Which lines of a file are wanted. */
export interface Wanted {
  /** At most so many, the newest. */
  readonly tail: number;
  /** Only those at or after this, in ms since the epoch. */
  readonly since: number;
}

/** The lines, and where and how to read on. */
export interface Tail {
  readonly lines: readonly FileLine[];
  readonly end: number;
  readonly assembler: LineAssembler;
}

/**
 * What is in the file when it is called. Reads a window at the end, four times as large each time that it was too small:
 * at most a third more than one reading of the largest. Lines are whole. Only a line begun on one stream before the
 * window, and still not ended, will lack its beginning when it ends: the other stream wrote all of the window since.
 */
export async function readTail(
  handle: FileHandle,
  wanted: Wanted,
  windowBytes: number = CHUNK_BYTES,
): Promise<Tail> {
  const { size } = await handle.stat();
  for (let window = windowBytes; ; window *= 4) {
    const begin = window < size ? size - window : 0;
    const assembler = new LineAssembler(begin === 0 ? 'start' : 'middle');
    let lines: FileLine[] = [];
    let reachesBack = begin === 0;
    const end = await readRange(handle, begin, size, assembler, (more) => {
      reachesBack ||= (more[0]?.at ?? wanted.since) < wanted.since;
      for (const line of more) if (line.at >= wanted.since) lines.push(line);
      // Cutting now and then keeps the memory small without moving everything at each chunk.
      if (lines.length > 2 * wanted.tail + 1_000) lines = newest(lines, wanted.tail);
    });
    lines = newest(lines, wanted.tail);
    reachesBack ||= lines.length === wanted.tail;
    const isWhole = !assembler.isDoubtful && !lines.some(({ doubtful }) => doubtful);
    if (begin === 0 || (reachesBack && isWhole)) return { lines, end, assembler };
  }
}

/** Reads from `begin` to `end`, or to the end of the file if that is nearer, and tells where it stopped. */
export async function readRange(
  handle: FileHandle,
  begin: number,
  end: number,
  assembler: LineAssembler,
  onLines: (lines: readonly FileLine[]) => void,
): Promise<number> {
  let at = begin;
  while (at < end) {
    // A new buffer each time: the assembler keeps parts of it.
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return at;
    at += bytesRead;
    onLines(assembler.push(buffer.subarray(0, bytesRead)));
  }
  return at;
}

/** The last `count` of a list. */
export function newest<T>(list: T[], count: number): T[] {
  return list.length > count ? list.slice(list.length - count) : list;
}
