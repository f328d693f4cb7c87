/** As much of WebSocket framing (RFC 6455 5.2) as it takes to say goodbye between two frames of somebody else's. */

const CLOSE = 0x8;
const CLOSE_FINAL = 0x88;
const MASKED = 0x80;

/**
 * Follows where frames begin and end in bytes that are otherwise passed unread. It looks at the heads of frames only, up
 * to 14 bytes each, and remembers a few numbers: no copies, no allocations, whatever the payloads are. Extensions change
 * nothing about frames, and control frames may stand between the fragments of a message, so every end of a frame is a
 * place for one.
 */
export class FrameTracker {
  #hasClosed = false;
  /** Bytes of the present head that were seen. */
  #seen = 0;
  /** How long the present head is; known from its second byte on. */
  #headBytes = 2;
  /** How many bytes of it hold the length, behind the second. */
  #lengthBytes = 0;
  #length = 0;
  /** Bytes of the present payload that are still to come. */
  #left = 0;

  /** A Close frame has begun: whoever sent it sends nothing more. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /** The last byte taken was the last one of a frame, or none was taken yet. */
  get isBetween(): boolean {
    return this.#seen === 0 && this.#left === 0;
  }

  /** @returns how many bytes were taken: all of them, or, if it `stopsBetween` frames, those up to the next end of one. */
  take(chunk: Uint8Array, stopsBetween = false): number {
    const { length } = chunk;
    let at = 0;
    while (at < length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, length - at);
        this.#left -= step;
        at += step;
      } else {
        this.#takeHead(chunk[at] as number);
        at += 1;
      }
      if (stopsBetween && this.isBetween) return at;
    }
    return at;
  }

  #takeHead(byte: number): void {
    if (this.#seen === 0) {
      if ((byte & 0x0f) === CLOSE) this.#hasClosed = true;
    } else if (this.#seen === 1) {
      const short = byte & 0x7f;
      this.#lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
      this.#length = this.#lengthBytes === 0 ? short : 0;
      this.#headBytes = 2 + this.#lengthBytes + (byte >= MASKED ? 4 : 0);
    } else if (this.#seen < 2 + this.#lengthBytes) {
      this.#length = this.#length * 256 + byte;
    }
    this.#seen += 1;
    if (this.#seen < 2 || this.#seen < this.#headBytes) return;
    this.#seen = 0;
    this.#left = this.#length;
  }
}

/** A Close frame with a code and a reason of at most 123 bytes; the one for an app is masked, as those of all clients. */
export function closeFrame(code: number, reason: string, isMasked: boolean): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  if (!isMasked) return Buffer.from([CLOSE_FINAL, payload.length, ...payload]);
  // A mask keeps clients from choosing what proxies see on the wire. These bytes nobody chose, so zeros will do.
  return Buffer.from([CLOSE_FINAL, MASKED | payload.length, 0, 0, 0, 0, ...payload]);
}
