/** The thread that makes one backup: files, hashes and compression stay off the thread that serves requests. */
import { parentPort, workerData } from 'node:worker_threads';
import { BerthError } from '../core/errors.ts';
import type { FromWorker, Order, ToWorker } from './needs.ts';
import { writeBackup } from './pack.ts';

const port = parentPort;
if (!port) throw new BerthError('INTERNAL', { detail: 'A backup is made in a thread.' });

/** Bytes given at once: a message for every small piece would cost more than it carries. */
const CHUNK_BYTES = 256 * 1024;

const tell = (message: FromWorker, transferred: readonly ArrayBuffer[] = []) =>
  port.postMessage(message, [...transferred]);

/** Pieces put together to chunks with memory of their own, which is handed over. */
async function* chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  let held: Buffer[] = [];
  let bytes = 0;
  const join = () => {
    const joined = new Uint8Array(bytes);
    let at = 0;
    for (const piece of held) {
      joined.set(piece, at);
      at += piece.length;
    }
    held = [];
    bytes = 0;
    return joined;
  };
  for await (const piece of writeBackup(workerData as Order)) {
    held.push(piece);
    bytes += piece.length;
    if (bytes >= CHUNK_BYTES) yield join();
  }
  if (bytes > 0) yield join();
}

const written = chunks();
port.on('message', (_more: ToWorker) => {
  void written.next().then(({ value, done }) => {
    if (done || !value) {
      tell({ kind: 'end' });
      port.close();
    } else tell({ kind: 'chunk', bytes: value }, [value.buffer]);
  });
});
