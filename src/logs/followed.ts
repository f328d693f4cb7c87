/** One log file while it is followed: reads what was added, also when the file is replaced or emptied. */
import { type FileHandle, stat } from 'node:fs/promises';
import type { InstanceId } from '../core/model.ts';
import { type FileLine, LineAssembler } from './assemble.ts';
import { instanceFile, isMissing } from './files.ts';
import { openLog } from './read.ts';
import { readRange, readTail, type Wanted } from './tail.ts';

/** Read at most so much of one file before the others have their turn, in bytes. */
const TURN_BYTES = 256 * 1024;
/** What has no line end is given as a line when nothing was added for so long, in ms: a question, or last words. */
const QUIET_MS = 1_000;

/** What one look at a file gave. */
export interface Look {
  readonly lines: readonly FileLine[];
  /** There is more to be read at once. */
  readonly more: boolean;
  /** The file is gone and read to its end. */
  readonly gone: boolean;
}

export class FollowedFile {
  readonly #folder: string;
  readonly #instanceId: InstanceId;
  #handle: FileHandle;
  #assembler: LineAssembler;
  #end = 0;
  /** ms since the epoch. */
  #grewAt: number;

  private constructor(folder: string, instanceId: InstanceId, handle: FileHandle, now: number) {
    this.#folder = folder;
    this.#instanceId = instanceId;
    this.#handle = handle;
    this.#assembler = new LineAssembler('start');
    this.#grewAt = now;
  }

  /** From the start of the file on; undefined when there is none. */
  static async open(
    folder: string,
    instanceId: InstanceId,
    now: number,
  ): Promise<FollowedFile | undefined> {
    const handle = await openLog(folder, instanceId);
    return handle && new FollowedFile(folder, instanceId, handle, now);
  }

  /** The newest lines; `look` goes on exactly behind them. */
  async tail(wanted: Wanted): Promise<readonly FileLine[]> {
    const { lines, end, assembler } = await readTail(this.#handle, wanted);
    this.#end = end;
    this.#assembler = assembler;
    return lines;
  }

  /** What was added since the last look. */
  async look(now: number): Promise<Look> {
    // First the name, then the content: when the name has gone to another file, ours has got its last record already.
    const { ino, size } = await this.#handle.stat();
    const named = await this.#inode();
    if (size < this.#end) this.#begin();
    const lines: FileLine[] = [];
    const before = this.#end;
    this.#end = await readRange(
      this.#handle,
      before,
      before + TURN_BYTES,
      this.#assembler,
      (more) => void lines.push(...more),
    );
    if (this.#end > before) this.#grewAt = now;
    if (this.#end - before === TURN_BYTES) return { lines, more: true, gone: false };
    if (named !== ino) {
      const isReplaced = await this.#replace();
      if (!isReplaced) lines.push(...this.#assembler.flush());
      return { lines, more: isReplaced, gone: !isReplaced };
    }
    if (now - this.#grewAt >= QUIET_MS) lines.push(...this.#assembler.flush());
    return { lines, more: false, gone: false };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Goes to the file that has the name now; false when there is none. */
  async #replace(): Promise<boolean> {
    const next = await openLog(this.#folder, this.#instanceId);
    if (!next) return false;
    await this.#handle.close();
    this.#handle = next;
    this.#begin();
    return true;
  }

  #begin(): void {
    this.#end = 0;
    this.#assembler.restart();
  }

  async #inode(): Promise<number | undefined> {
    try {
      return (await stat(instanceFile(this.#folder, this.#instanceId))).ino;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}
