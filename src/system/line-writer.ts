/** Writes lines to a file descriptor in batches; where there is no room they are dropped, and nobody waits. */
import { write, writeSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';

export interface LineWriter {
  /** Text that ends with a line end. Costs a string: what it is written with comes later. */
  write(lines: string): void;
  /** Writes what can be written without waiting; the last call. */
  close(): void;
}

/** A write for each line of the access log would cost more than half of what passing a request on costs; one for so many, a tenth. */
const BATCH_BYTES = 64 * 1024;
const BATCH_MS = 100;
/** What a reader that does not read (a pipe, a slow disk) may make us hold. */
const MOST_BATCHES = 64;
/** Of UTF-8, for one unit of a string. */
const MOST_BYTES_EACH = 3;

interface Batch {
  readonly bytes: Buffer;
  length: number;
}

type Done = (isWritten: boolean) => void;

/**
 * Libraries for this stop the process, or stand still in it, when the disk of the log is full: serving must not. The first
 * line that fits again is told how much is missing through `lost`, given the number of dropped batches.
 *
 * Lines become bytes at once: as text they would live until they are written, and have the collector copy them.
 */
export function openLineWriter(
  fd: number,
  clock: Clock,
  lost: (batches: number) => string,
): LineWriter {
  let filling: Batch | undefined;
  let full: Batch[] = [];
  /** Kept for the next lines: new ones would be new memory for the collector to look after. */
  let spare: Batch | undefined;
  let isWriting = false;
  let isTimed = false;
  let isClosed = false;
  let dropped = 0;
  /** A line was cut off in its middle. */
  let isTorn = false;

  function seal(): void {
    if (filling !== undefined) full.push(filling);
    filling = undefined;
  }

  function begin(): Batch {
    const batch = spare ?? { bytes: Buffer.allocUnsafeSlow(BATCH_BYTES), length: 0 };
    spare = undefined;
    batch.length = 0;
    return batch;
  }

  /** What has to stand before the next batch. */
  function notice(): Buffer {
    return Buffer.from((isTorn ? '\n' : '') + (dropped > 0 ? lost(dropped) : ''));
  }

  function flush(): void {
    if (isWriting) return;
    if (full.length === 0) seal();
    const batch = full.shift();
    if (batch === undefined) return;
    isWriting = true;
    const told = dropped;
    const before = notice();
    const content = batch.bytes.subarray(0, batch.length);
    send(before.length === 0 ? content : Buffer.concat([before, content]), 0, (isWritten) => {
      isWriting = false;
      if (isWritten) dropped -= told;
      else dropped += 1;
      if (batch.bytes.length === BATCH_BYTES) spare = batch;
      if (full.length > 0) flush();
      else later();
    });
  }

  function send(bytes: Buffer, from: number, done: Done): void {
    write(fd, bytes, from, bytes.length - from, null, (error, count) => {
      if (error?.code === 'EAGAIN' && !isClosed) {
        void sendLater(bytes, from, done);
        return;
      }
      if (!error && from + count < bytes.length) {
        send(bytes, from + count, done);
        return;
      }
      if (!error) isTorn = false;
      else isTorn ||= from > 0;
      done(!error);
    });
  }

  async function sendLater(bytes: Buffer, from: number, done: Done): Promise<void> {
    await clock.sleep(BATCH_MS);
    send(bytes, from, done);
  }

  function later(): void {
    if (isTimed || filling === undefined || isClosed) return;
    isTimed = true;
    void clock.sleep(BATCH_MS).then(() => {
      isTimed = false;
      flush();
    });
  }

  /** The process ends: nothing more can be waited for. */
  function end(): void {
    if (isClosed) return;
    isClosed = true;
    seal();
    const rest = [notice(), ...full.map(({ bytes, length }) => bytes.subarray(0, length))];
    full = [];
    try {
      for (const bytes of rest) {
        for (let from = 0; from < bytes.length; ) from += writeSync(fd, bytes, from);
      }
    } catch {
      // No room, or nobody reads.
    }
  }

  process.once('exit', end);
  return {
    write(lines) {
      const most = lines.length * MOST_BYTES_EACH;
      if (filling !== undefined && filling.length + most > BATCH_BYTES) seal();
      if (full.length >= MOST_BATCHES) {
        dropped += 1;
        return;
      }
      if (most > BATCH_BYTES) {
        const bytes = Buffer.from(lines);
        full.push({ bytes, length: bytes.length });
      } else {
        filling ??= begin();
        filling.length += filling.bytes.write(lines, filling.length);
      }
      if (full.length > 0) flush();
      else later();
    },
    close() {
      process.off('exit', end);
      end();
    },
  };
}
