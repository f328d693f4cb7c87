/**
 * What a client of HTTP/2 sends beside its requests, in proportion to what its connection is good for: window updates,
 * priorities, padding, empty frames and frames of unknown kinds cost their sender nothing, and Node tells nobody of them.
 *
 * | bytes of a connection                                   | count                         |
 * |---------------------------------------------------------|-------------------------------|
 * | all that came                                           | against it                    |
 * | heads and bodies of requests, with their frames         | for it                        |
 * | what was sent: a client answers it with window updates  | for it, as below              |
 * | `most` at the begin, and a tenth of it each second      | for it, `most` at the most    |
 */
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/**
 * The smallest message of gRPC is sent in a frame of 14 bytes, and a client may answer each with two window updates of 13
 * bytes and a ping of 17. nginx lets eight times pass what is useful, Envoy 20 window updates for each frame of data.
 */
const SENT_WORTH = 4;
/**
 * Of what was sent, however much it was: more frames than Node can send that a client would answer one by one. Taking that
 * many window updates is 6 % of a core's time (measured: 14 ms for each megabyte).
 */
const SENT_WORTH_PER_SECOND = 4 * 1024 * 1024;
/** The frame of a head, and what clients send around a request: a priority, the reset of what they no longer want. */
const PER_REQUEST = 256;
/** The head of a frame of data, and a little padding. */
const PER_CHUNK = 16;

export class Overhead {
  readonly #socket: Socket;
  readonly #most: number;
  #left: number;
  #at: number;
  #explained = 0;
  #read = 0;
  #written = 0;

  /** `most` in bytes; `now` in ms. */
  constructor(socket: Socket, most: number, now: number) {
    this.#socket = socket;
    this.#most = most;
    this.#left = most;
    this.#at = now;
  }

  /** A request came: its bytes, and those that are still to come, are what the connection is for. */
  explain(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    this.#explained += PER_REQUEST + lengthOf(rawHeaders);
    if (stream.endAfterHeaders) return;
    // What came in one packet with the head.
    this.#explained += stream.readableLength;
    stream.on('trailers', (_trailers, _flags, raw) => {
      this.#explained += PER_REQUEST + lengthOf(raw);
    });
    // Whoever reads the body, and whenever: a listener for its data would begin to read it.
    const push = stream.push.bind(stream);
    stream.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (chunk !== null) this.#explained += PER_CHUNK + chunk.length;
      return push(chunk, encoding);
    };
  }

  /** False: more came than the connection is good for. To be asked a few times a second. */
  isBearable(now: number): boolean {
    const { bytesRead, bytesWritten } = this.#socket;
    const seconds = (now - this.#at) / 1000;
    const earned =
      this.#explained +
      Math.min(SENT_WORTH * (bytesWritten - this.#written), SENT_WORTH_PER_SECOND * seconds) +
      (this.#most / 10) * seconds;
    this.#left = Math.min(this.#most, this.#left + earned - (bytesRead - this.#read));
    this.#at = now;
    this.#explained = 0;
    this.#read = bytesRead;
    this.#written = bytesWritten;
    return this.#left >= 0;
  }
}

function lengthOf(texts: readonly string[]): number {
  let length = 0;
  for (const text of texts) length += text.length;
  return length;
}
