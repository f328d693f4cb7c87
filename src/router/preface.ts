/** Tells HTTP/2 from HTTP/1.1 by the first bytes of a plain connection. */
import type { Socket } from 'node:net';

/** RFC 9113 3.4: what every client of HTTP/2 says first; no request of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface Speakers {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/** Sockets of which too little is known yet. */
export class PrefaceReader {
  readonly #undecided = new Set<Socket>();
  readonly #speakers: Speakers;
  readonly #patienceMs: number;

  /** A connection that says nothing for `patienceMs` is closed. */
  constructor(speakers: Speakers, patienceMs: number) {
    this.#speakers = speakers;
    this.#patienceMs = patienceMs;
  }

  /** Hands the socket on with its first bytes, which are read again. */
  take(socket: Socket): void {
    let seen: Buffer | undefined;
    const give = () => socket.destroy();
    const onData = (chunk: Buffer) => {
      const bytes = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
      seen = bytes;
      const isHttp2 = isPreface(bytes);
      if (isHttp2 === undefined) return;
      socket.off('data', onData);
      socket.off('error', give);
      socket.off('end', give);
      socket.off('timeout', give);
      socket.setTimeout(0);
      this.#undecided.delete(socket);
      socket.pause();
      socket.unshift(bytes);
      if (isHttp2) this.#speakers.http2(socket);
      else {
        this.#speakers.http1(socket);
        socket.resume();
      }
    };
    this.#undecided.add(socket);
    socket.once('close', () => this.#undecided.delete(socket));
    socket.on('error', give);
    socket.on('end', give);
    socket.setTimeout(this.#patienceMs, give);
    socket.on('data', onData);
  }

  /** Ends all connections that nobody has yet. */
  close(): void {
    for (const socket of this.#undecided) socket.destroy();
  }
}

/** Undefined: too few bytes to tell. Three tell: no method of HTTP/1.1 begins with PRI. */
function isPreface(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (!bytes.subarray(0, length).equals(PREFACE.subarray(0, length))) return false;
  return length < 3 ? undefined : true;
}
