/** A socket that goes on reading when it can no longer write. */
import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * An app may answer (413, 401) and close before it has read the whole request. Node destroys a socket at the first
 * write that fails, and with it the answer that has already arrived. This one drops what can no longer be sent and
 * waits for what the other side has said; without an answer, reading fails or ends and tells the same.
 */
export class PatientSocket extends Socket {
  #isDeaf = false;

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    if (this.#isDeaf) done();
    else super._write(chunk, encoding, this.#patiently(done));
  }

  override _writev(
    chunks: { readonly chunk: unknown; readonly encoding: BufferEncoding }[],
    done: Done,
  ): void {
    if (this.#isDeaf) done();
    else super._writev?.([...chunks], this.#patiently(done));
  }

  #patiently(done: Done): Done {
    return (error) => {
      const isRefusal = error instanceof Error && /\b(?:EPIPE|ECONNRESET)\b/.test(error.message);
      if (isRefusal) this.#isDeaf = true;
      done(isRefusal ? null : error);
    };
  }
}
