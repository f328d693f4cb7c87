/** One connection to an instance: sends whole requests one after the other, and hands their answers on as they come. */
import { Socket } from 'node:net';
import { type AnswerListener, AnswerReader } from './answer-reader.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { RouterLimits } from './limits.ts';

/** Begins a connection to an instance: the socket says `connect` or `error` later. */
export type Connect = (to: { readonly host: string; readonly port: number }) => Socket;

/** A request as it goes over the wire. */
export interface WireRequest {
  /** Request line and headers with their end, as Latin-1. */
  readonly head: string;
  /** Null: there is none. */
  readonly body: Buffer | null;
  readonly isHead: boolean;
  /** False: another one may not follow on this connection. */
  readonly mayStay: boolean;
}

/** Who sends a request, and hears of its answer. Nothing is called after `onEnd`, `onRefused` or `onBroken`. */
export interface ConnectionUser extends AnswerListener {
  readonly request: WireRequest;
  /** The request is being written: from now on the app may have read it. */
  onSent(connection: Connection): void;
  onEnd(trailers: readonly string[]): void;
  /** There is no connection; nothing was sent. */
  onRefused(error: Error): void;
  /** The connection broke, or what came was no HTTP. */
  onBroken(error: Error): void;
}

/** Who keeps connections for those who come later. */
export interface ConnectionOwner {
  /** It has nothing to do and may be used again. */
  onIdle(connection: Connection): void;
  onClosed(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly owner: ConnectionOwner;
  readonly limits: RouterLimits;
  readonly deadlines: Deadlines;
  /** Absent: over TCP. */
  readonly connect: Connect | undefined;
}

/** Up to this size copying a body behind its head is cheaper than a second buffer of the same write. */
const TEXT_BYTES = 4_096;
/** What an app's promise to keep a connection is shortened by: it counts from another moment than we do. */
const PROMISE_SLACK_MS = 2_000;
const MOST_IDLE_MS = 600_000;
/** For apps that may be told to keep a connection alive on, as an operating system would. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** All connections read into this one: what is read is dealt with before anything else can be read. */
const ARRIVING = Buffer.allocUnsafeSlow(64 * 1024);

export class Connection {
  readonly socket: Socket;
  readonly #options: ConnectionOptions;
  #user: ConnectionUser | undefined;
  #reader: AnswerReader | undefined;
  #isConnected = false;
  #mayBeKept = true;
  #idle: Deadline | undefined;

  /** Being made, for its first user. */
  constructor(
    to: { readonly host: string; readonly port: number },
    user: ConnectionUser,
    options: ConnectionOptions,
  ) {
    this.#options = options;
    this.#user = user;
    const { connect, limits } = options;
    const socket = connect ? connect(to) : this.#overTcp(to);
    this.socket = socket;
    if (connect) socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.setTimeout(limits.connectTimeoutMs, () => {
      if (!this.#isConnected) socket.destroy(new Error('connect timed out'));
    });
    socket.once('connect', () => {
      this.#isConnected = true;
      socket.setTimeout(0);
      if (this.#user !== undefined) this.#send(this.#user);
    });
    socket.on('error', (error) => this.#break(error));
    socket.on('end', () => this.#end());
    socket.on('close', () => {
      this.#break(new Error('the connection was closed'));
      this.#stopIdling();
      options.owner.onClosed(this);
    });
  }

  /** A request for an idle connection; false: it is none any more. */
  use(user: ConnectionUser): boolean {
    const isLate = this.#idle === undefined || this.#options.deadlines.isPassed(this.#idle);
    this.#stopIdling();
    if (isLate || this.socket.destroyed || !this.socket.writable) {
      this.socket.destroy();
      return false;
    }
    this.#user = user;
    this.#send(user);
    return true;
  }

  /** Go on after `onBody` gave false. */
  resume(): void {
    this.socket.resume();
  }

  /** Closes it at once; its user hears no more. */
  destroy(): void {
    this.#user = undefined;
    this.socket.destroy();
  }

  /** Closes it when what is under way has ended. */
  close(): void {
    this.#mayBeKept = false;
    if (this.#idle !== undefined) this.socket.destroy();
  }

  #overTcp(to: { readonly host: string; readonly port: number }): Socket {
    const callback = (length: number) => this.#read(ARRIVING.subarray(0, length));
    const onread = { buffer: ARRIVING, callback };
    // The types of Node have it for `connect` alone.
    const options = { onread } as unknown as ConstructorParameters<typeof Socket>[0];
    const socket = new Socket(options).connect(to);
    return socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  }

  #send(user: ConnectionUser): void {
    const { socket } = this;
    const { head, body, isHead } = user.request;
    this.#reader = new AnswerReader(user, isHead, this.#options.limits.responseHeaderBytes);
    user.onSent(this);
    if (body === null) socket.write(head, 'latin1');
    else if (body.length <= TEXT_BYTES) socket.write(head + body.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  /** @returns false: read no more for now. */
  #read(bytes: Buffer): boolean {
    const reader = this.#reader;
    if (reader === undefined) {
      // Nobody asked: whatever it is, it would be taken for the answer to the next one.
      this.socket.destroy();
      return true;
    }
    let hasRoom = true;
    try {
      hasRoom = reader.read(bytes);
    } catch (error) {
      this.#break(error as Error);
      this.socket.destroy();
      return true;
    }
    if (reader.isOver) this.#finish(reader);
    else if (!hasRoom) this.socket.pause();
    return hasRoom;
  }

  #finish(reader: AnswerReader): void {
    const user = this.#user;
    this.#user = undefined;
    this.#reader = undefined;
    const keptMs = this.#keptMs(reader);
    const isKept =
      this.#mayBeKept && user?.request.mayStay === true && reader.mayStay && keptMs > 0;
    if (!isKept) this.socket.destroy();
    else {
      // An answer that was held up may have ended meanwhile.
      if (this.socket.isPaused()) this.socket.resume();
      this.#idle = this.#options.deadlines.add(keptMs, () => this.socket.destroy());
      this.#options.owner.onIdle(this);
    }
    user?.onEnd(reader.trailers);
  }

  /** How long it may rest: as long as the app promises, or as most apps do. */
  #keptMs({ keepAliveSeconds }: AnswerReader): number {
    if (keepAliveSeconds === undefined) return this.#options.limits.upstreamKeepAliveMs;
    return Math.min(keepAliveSeconds * 1_000 - PROMISE_SLACK_MS, MOST_IDLE_MS);
  }

  #stopIdling(): void {
    if (this.#idle === undefined) return;
    this.#options.deadlines.cancel(this.#idle);
    this.#idle = undefined;
  }

  /** The app will send no more. */
  #end(): void {
    const reader = this.#reader;
    if (reader?.end() === true) this.#finish(reader);
    else this.#break(new Error('the other side closed'));
    this.socket.destroy();
  }

  #break(error: Error): void {
    const user = this.#user;
    this.#user = undefined;
    this.#reader = undefined;
    if (this.#isConnected) user?.onBroken(error);
    else user?.onRefused(error);
  }
}
