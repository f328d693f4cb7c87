/** A WebSocket's two connections joined: bytes pass both ways unread until both are closed, or until it is time to say goodbye. */
import type { ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import type { Deadline, Deadlines } from './deadlines.ts';
import { closeFrame, FrameTracker } from './websocket-frames.ts';

/** One end of a spliced connection. */
export interface Side {
  readonly socket: Socket | ServerHttp2Stream;
  /** What was read behind the handshake already. */
  readonly head: Buffer;
}

export interface SpliceOptions {
  readonly client: Side;
  readonly app: Side;
  readonly deadlines: Deadlines;
  /** How long both may live on after one side has ended, in ms. */
  readonly halfClosedMs: number;
  /** How long both may take to say goodbye, in ms. */
  readonly goodbyeMs: number;
}

/** "Service Restart" of the IANA registry: the client should come again, and will find another instance. */
const SERVICE_RESTART = 1012;
const REASON = 'the instance is being replaced';
const NOTHING = Buffer.alloc(0);

/**
 * Passes bytes with backpressure. An end on one side is passed on as an end; if the other side has not ended
 * `halfClosedMs` later, both are closed. A side that fails takes the other with it.
 */
export class Splice {
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>;
  readonly #client: Side['socket'];
  readonly #app: Side['socket'];
  readonly #options: SpliceOptions;
  readonly #toApp: Flow;
  readonly #toClient: Flow;
  readonly #pending: Deadline[] = [];
  #isLeaving = false;

  constructor(options: SpliceOptions) {
    const { client, app, deadlines } = options;
    this.#options = options;
    this.#client = client.socket;
    this.#app = app.socket;
    const watch = (from: Side['socket'], to: Side['socket'], back: () => Flow): Flow => {
      if (from instanceof Socket) {
        from.setNoDelay(true);
        from.setTimeout(0);
      }
      const flow = new Flow(from, to, () => this.#onGoodbye());
      from.on('error', () => this.#onFailed(flow, to));
      from.once('close', () => this.#onClosed(flow, to));
      from.once('end', () => this.#onEnd());
      // What one side takes again, the other may send again.
      from.on('drain', () => back().resume());
      return flow;
    };
    this.#toApp = watch(client.socket, app.socket, () => this.#toClient);
    this.#toClient = watch(app.socket, client.socket, () => this.#toApp);
    this.closed = Promise.all([closeOf(client.socket), closeOf(app.socket)]).then(() => {
      for (const deadline of this.#pending) deadlines.cancel(deadline);
    });
    this.#toApp.start(client.head);
    this.#toClient.start(app.head);
    if (client.socket.destroyed) app.socket.destroy();
    if (app.socket.destroyed) client.socket.destroy();
  }

  /** The client was told with a Close frame that it should come again, or the app had told it to go before. */
  get isGoodbyeSaid(): boolean {
    return this.#toClient.isGoodbyeSaid;
  }

  /**
   * Says 1012 to both sides as soon as the frame is over that is just passing, drops what they say afterwards, closes
   * each when it has said goodbye too, and both after `goodbyeMs` whatever they do. Again: does nothing.
   */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const { deadlines, goodbyeMs } = this.#options;
    this.#pending.push(deadlines.add(goodbyeMs, () => this.#cut()));
    this.#toClient.sayGoodbye(closeFrame(SERVICE_RESTART, REASON, false));
    this.#toApp.sayGoodbye(closeFrame(SERVICE_RESTART, REASON, true));
  }

  #onGoodbye(): void {
    const [toClient, toApp] = [this.#toClient, this.#toApp];
    if (toClient.isGoodbyeSaid && toApp.isGoodbyeHeard) end(this.#client);
    if (toApp.isGoodbyeSaid && toClient.isGoodbyeHeard) end(this.#app);
  }

  #onEnd(): void {
    const { deadlines, halfClosedMs } = this.#options;
    this.#pending.push(deadlines.add(halfClosedMs, () => this.#cut()));
  }

  #onFailed(flow: Flow, to: Side['socket']): void {
    if (!flow.isGoodbyeSaid) to.destroy();
  }

  /** Nothing more comes that way; one to whom goodbye was said may still answer it. */
  #onClosed(flow: Flow, to: Side['socket']): void {
    if (this.#isLeaving && flow.isGoodbyeSaid) return;
    if (to instanceof Socket) to.destroySoon();
    else endStream(to);
  }

  #cut(): void {
    this.#client.destroy();
    this.#app.destroy();
  }
}

/** `finish`: pass the rest of the frame that is passing, then say goodbye. `drop`: goodbye was said. */
type Mode = 'pass' | 'finish' | 'drop';

/** One direction. */
class Flow {
  readonly #from: Side['socket'];
  readonly #to: Side['socket'];
  readonly #frames = new FrameTracker();
  readonly #onGoodbye: () => void;
  #mode: Mode = 'pass';
  #goodbye: Buffer = NOTHING;

  /** `onGoodbye` is called when goodbye was said to `to`, and when `from` says it afterwards or ends. */
  constructor(from: Side['socket'], to: Side['socket'], onGoodbye: () => void) {
    this.#from = from;
    this.#to = to;
    this.#onGoodbye = onGoodbye;
  }

  /** `to` has a Close frame, of ours or from the other side. */
  get isGoodbyeSaid(): boolean {
    return this.#mode === 'drop';
  }

  /** `from` has sent a Close frame, or will send nothing any more. */
  get isGoodbyeHeard(): boolean {
    return this.#frames.hasClosed || this.#from.readableEnded || this.#from.destroyed;
  }

  start(head: Buffer): void {
    if (head.length > 0) this.#take(head);
    this.#from.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#from.once('end', () => {
      if (this.#mode === 'drop') this.#onGoodbye();
      else this.#to.end();
    });
  }

  resume(): void {
    this.#from.resume();
  }

  sayGoodbye(frame: Buffer): void {
    // After a Close frame of its own nobody says another one: it only has to get through whole.
    this.#goodbye = this.#frames.hasClosed ? NOTHING : frame;
    this.#mode = 'finish';
    if (this.#frames.isBetween) this.#finish();
  }

  #take(chunk: Buffer): void {
    if (this.#mode === 'pass') {
      this.#frames.take(chunk);
      this.#write(chunk);
      return;
    }
    let at = 0;
    if (this.#mode === 'finish') {
      at = this.#frames.take(chunk, true);
      this.#write(chunk.subarray(0, at));
      if (!this.#frames.isBetween) return;
      this.#finish();
    }
    if (at < chunk.length) this.#frames.take(at === 0 ? chunk : chunk.subarray(at));
    if (this.#frames.hasClosed) this.#onGoodbye();
  }

  #finish(): void {
    if (this.#goodbye.length > 0) this.#write(this.#goodbye);
    this.#mode = 'drop';
    // What is dropped needs no room on the other side.
    this.#from.resume();
    this.#onGoodbye();
  }

  #write(chunk: Buffer): void {
    if (!this.#to.writable) return;
    if (!this.#to.write(chunk)) this.#from.pause();
  }
}

function closeOf(socket: Side['socket']): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.once('close', resolve);
  });
}

/** Our half; the other one closes when it has read that. */
function end(socket: Side['socket']): void {
  if (!socket.writableEnded) socket.end();
}

/** Both ways at once, as a socket that is destroyed; but what was written arrives before. */
function endStream(stream: ServerHttp2Stream): void {
  // Not `close`, which waits for what the client might still say, though nobody is there to hear it.
  stream.end(() => stream.destroy());
}
