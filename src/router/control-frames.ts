/** Pings and settings of a client of HTTP/2: they bring no request, and Node answers every one. */
import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';

const WITHIN_MS = 10_000;

export class ControlFrames {
  readonly #socket: Socket;
  readonly #most: number;
  readonly #clock: Clock;
  #since: number;
  #count = 0;
  /** Bytes of the answers, those that are still on their way out too. */
  #answered = 0;
  /** The most that was sent beside those. */
  #sent = 0;

  /** `most` within 10 s. */
  constructor(socket: Socket, most: number, clock: Clock) {
    this.#socket = socket;
    this.#most = most;
    this.#clock = clock;
    this.#since = clock.now();
  }

  /**
   * False: there are too many. The first one after something else was sent does not count: clients of gRPC measure their
   * connection with a ping for each round trip while they download, a thousand a second where it is short.
   */
  admits(answerBytes: number): boolean {
    const sent = this.#socket.bytesWritten - this.#answered;
    this.#answered += answerBytes;
    if (sent > this.#sent) {
      this.#sent = sent;
      return true;
    }
    const now = this.#clock.now();
    if (now - this.#since > WITHIN_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#most;
  }
}
