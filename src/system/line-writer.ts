/** Writes lines to a file descriptor in batches; where there is no room they are dropped, and nobody waits. */
import { write, writeSync } from 'node:fs';
import type { Clock } from '../ports/clock.ts';

export interface LineWriter {
  /** Text that ends with a line end. Costs a string: what it is written with comes later. */
  write(lines: string): void;
  /** Writes what can be written without waiting; the last call. */
  close(): void;
}

/** A write for each line of the access log would cost more than half of what passing a request on costs; one for 26 lines, a tenth. */
const BATCH_CHARACTERS = 64 * 1024;
const BATCH_MS = 100;
/** What a reader that does not read (a pipe, a slow disk) may make us hold. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/**
 * Libraries for this stop the process, or stand still in it, when the disk of the log is full: serving must not. The first
 * line that fits again is told how much is missing through `lost`, given the number of dropped batches.
 */
export function openLineWriter(
  fd: number,
  clock: Clock,
  lost: (batches: number) => string,
): LineWriter {
  let waiting = '';
  let isWriting = false;
  let isTimed = false;
  let isClosed = false;
  let dropped = 0;
  /** A line was cut off in its middle. */
  let isTorn = false;

  function take(): Buffer {
    const notice = dropped > 0 ? lost(dropped) : '';
    const text = (isTorn ? '\n' : '') + notice + waiting;
    waiting = '';
    return Buffer.from(text);
  }

  function drop(): void {
    dropped += 1;
  }

  function flush(): void {
    if (isWriting || waiting === '') return;
    isWriting = true;
    send(take(), 0);
  }

  function send(batch: Buffer, from: number): void {
    write(fd, batch, from, batch.length - from, null, (error, bytes) => {
      if (error?.code === 'EAGAIN' && !isClosed) {
        void sendLater(batch, from);
        return;
      }
      if (!error && from + bytes < batch.length) {
        send(batch, from + bytes);
        return;
      }
      isWriting = false;
      if (error) {
        isTorn ||= from > 0;
        drop();
      } else {
        isTorn = false;
        dropped = 0;
      }
      if (waiting.length >= BATCH_CHARACTERS) flush();
      else later();
    });
  }

  async function sendLater(batch: Buffer, from: number): Promise<void> {
    await clock.sleep(BATCH_MS);
    send(batch, from);
  }

  function later(): void {
    if (isTimed || waiting === '' || isClosed) return;
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
    const batch = take();
    try {
      for (let from = 0; from < batch.length; ) from += writeSync(fd, batch, from);
    } catch {
      // No room, or nobody reads.
    }
  }

  process.once('exit', end);
  return {
    write(lines) {
      if (waiting.length + lines.length > MOST_CHARACTERS) {
        drop();
        return;
      }
      waiting += lines;
      if (waiting.length >= BATCH_CHARACTERS) flush();
      else later();
    },
    close() {
      process.off('exit', end);
      end();
    },
  };
}
