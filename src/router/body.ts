/** The body of a request on its way to an app: untouched until it is dispatched, and held while it is small. */
import type { BodyState } from '../core/retry.ts';
import type { Clock } from '../ports/clock.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { InboundRequest } from './inbound.ts';

/** A ready-made reason: making one, with its stack, costs more than all else that an abort does. */
const STOP = new Error('stop');

/** Where a streamed body goes: true as long as it can take more, as Node's own writables say it. */
export interface BodyTarget {
  write(chunk: Buffer): boolean;
  end(): void;
}

export class RequestBody {
  readonly #req: InboundRequest;
  readonly #replayBytes: number;
  readonly #buffers: BufferBudget;
  readonly #owner: string;
  /** Room that was taken for `#held`. */
  #heldBytes = 0;
  /** Length that the client announced; undefined when the body is chunked. */
  readonly contentLength: number | undefined;
  readonly #isEmpty: boolean;
  /** Every chunk read so far, while they are few enough. */
  #held: Buffer[] | undefined = [];
  #ended = false;
  #target: BodyTarget | undefined;
  #listening = false;
  #onEnded: (() => void) | undefined;
  bytesRead = 0;

  /** Up to `replayBytes` are held, as far as `buffers` has room for `owner`. */
  constructor(req: InboundRequest, replayBytes: number, buffers: BufferBudget, owner: string) {
    this.#req = req;
    this.#buffers = buffers;
    this.#owner = owner;
    this.#replayBytes = replayBytes;
    const length = req.headers['content-length'];
    this.contentLength = length === undefined ? undefined : Number(length);
    this.#isEmpty =
      req.hasBody === undefined
        ? req.headers['transfer-encoding'] === undefined && (this.contentLength ?? 0) === 0
        : !req.hasBody;
    this.#ended = this.#isEmpty;
  }

  get state(): BodyState {
    if (this.#isEmpty) return 'empty';
    return this.#held === undefined ? 'streaming' : 'whole';
  }

  /** Every byte was read. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Trailers that came behind a chunked body, once it has ended. */
  get trailers(): readonly string[] {
    return this.#req.rawTrailers;
  }

  /** May be taken whole: it is empty or its announced length fits what may be held. */
  get isSmall(): boolean {
    return this.#isEmpty || (this.contentLength ?? Infinity) <= this.#replayBytes;
  }

  /**
   * The whole body when it is already here: null when it is empty, undefined when more is to come, too much came, or
   * trailers came with it.
   */
  take(): Buffer | null | undefined {
    if (this.#isEmpty) return null;
    if (!this.#ended && this.#req.complete && this.#mayHold(this.#req.readableLength)) {
      this.#drain();
    }
    if (!this.#ended || this.#held === undefined || this.trailers.length > 0) return undefined;
    const [first, ...rest] = this.#held;
    if (first === undefined) return null;
    if (rest.length > 0) this.#held = [Buffer.concat(this.#held)];
    return this.#held[0];
  }

  /**
   * Reads on until the body has ended, `ms` are over or the signal aborts: a small body is most often only a packet
   * behind its headers.
   */
  async gather(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    this.#lookForEnd();
    if (this.#ended || !this.#mayHold(this.contentLength ?? Infinity)) return;
    const enough = new AbortController();
    const stop = () => enough.abort(STOP);
    this.#onEnded = stop;
    signal.addEventListener('abort', stop, { once: true });
    this.#listen();
    this.#req.resume();
    await clock.sleep(ms, enough.signal);
    signal.removeEventListener('abort', stop);
    this.#onEnded = undefined;
    if (!this.#ended) this.#req.pause();
  }

  /** Sends what is held and then the rest as it comes, until `detach`. Call `resume` when the target has drained. */
  sendTo(target: BodyTarget): void {
    let hasRoom = true;
    for (const chunk of this.#held ?? []) hasRoom = target.write(chunk);
    this.#lookForEnd();
    if (this.#ended) {
      target.end();
      return;
    }
    this.#target = target;
    this.#listen();
    if (hasRoom) this.#req.resume();
  }

  resume(): void {
    if (this.#target !== undefined && !this.#ended) this.#req.resume();
  }

  /** Stops sending; what was not read stays with the client. */
  detach(): void {
    if (this.#target === undefined) return;
    this.#target = undefined;
    this.#req.pause();
  }

  /** Lets go of what is held: it cannot be sent again. */
  release(): void {
    this.#held = undefined;
    this.#buffers.give(this.#owner, this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** Reads what is still to come and throws it away; calls back when there is no more. */
  discard(onEnded: () => void): void {
    this.#target = undefined;
    this.release();
    this.#lookForEnd();
    if (this.#ended) {
      onEnded();
      return;
    }
    this.#onEnded = onEnded;
    this.#listen();
    this.#req.resume();
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#req.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#req.on('end', () => this.#onEnd());
    this.#req.pause();
  }

  /** A stream of HTTP/2 that brings nothing ends without being read: nobody would hear of it any more. */
  #lookForEnd(): void {
    if (!this.#listening && this.#req.complete && this.#req.readableLength === 0)
      this.#ended = true;
  }

  #drain(): void {
    // The parser is done, so what is buffered is all there will be; `end` follows by itself.
    const chunk = this.#req.read() as Buffer | null;
    // With a listener, reading has told it already.
    if (chunk !== null && !this.#listening) this.#hold(chunk);
    this.#ended = true;
  }

  #onData(chunk: Buffer): void {
    this.#hold(chunk);
    if (this.#target === undefined) return;
    if (!this.#target.write(chunk)) this.#req.pause();
  }

  #hold(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    if (this.#held === undefined) return;
    if (this.bytesRead > this.#replayBytes || !this.#reserve(this.bytesRead)) this.release();
    else this.#held.push(chunk);
  }

  #mayHold(bytes: number): boolean {
    const total = Math.max(this.bytesRead + this.#req.readableLength, bytes);
    return total <= this.#replayBytes && this.#reserve(total);
  }

  /** Room for so many bytes altogether, before they are read: what nothing else has must not be dropped. */
  #reserve(total: number): boolean {
    if (total <= this.#heldBytes) return true;
    if (!this.#buffers.take(this.#owner, total - this.#heldBytes)) return false;
    this.#heldBytes = total;
    return true;
  }

  #onEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    const target = this.#target;
    this.#target = undefined;
    target?.end();
    this.#onEnded?.();
  }
}
