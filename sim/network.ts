/** A network without a kernel: pairs of sockets whose bytes pass on promises alone, so that virtual time governs them. */
import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/** How the end of a process or a connection is met on the other side. */
export type Cut = 'end' | 'reset';

/** One end of a connection. A real `Socket` to whoever uses it, but with no handle beneath. */
export class MemorySocket extends Socket {
  readonly #activity: Activity;
  #peer: MemorySocket | undefined;
  #afterRead: Done | undefined;
  #isCutOff = false;
  #written = 0;
  /** What the kernel keeps for a process that does not read; undefined while it does. */
  #held: Held | undefined;
  /** Hears of all that arrives, read or not. */
  onArrival: ((bytes: Buffer) => void) | undefined;

  constructor(activity: Activity) {
    super({ allowHalfOpen: true });
    this.#activity = activity;
    activity.open.add(this);
    this.once('close', () => activity.open.delete(this));
    // Node asks a handle for it, which there is none of here.
    Object.defineProperty(this, 'bytesWritten', { get: () => this.#written + this.writableLength });
  }

  /** As the kernel names the end that connects. */
  bind(from: Address): void {
    Object.defineProperty(this, 'localAddress', { value: from.host });
    Object.defineProperty(this, 'localPort', { value: from.port });
  }

  /** From now on nobody reads what arrives. */
  hold(): void {
    this.#held ??= { chunks: [], bytes: 0, late: undefined, end: undefined };
  }

  /** Whoever reads goes on: first comes what had arrived, and only then that the connection ended. */
  letGo(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#activity.count += 1;
    for (const bytes of held.chunks) this.push(bytes);
    const { end, late } = held;
    if (late) this.#arrive(late.bytes, late.done);
    if (end === undefined) return;
    setImmediate(() => {
      this.#activity.count += 1;
      if (end === 'end') this.#hearEnd();
      else this.#hearReset();
    });
  }

  /** What has arrived and was not read; undefined when the other end has closed, which nobody counts. */
  get unreadBytes(): number | undefined {
    if (this.destroyed || this.readableEnded || this.#held?.end !== undefined) return undefined;
    return this.#held?.bytes ?? 0;
  }

  join(peer: MemorySocket): void {
    this.#peer = peer;
  }

  override ref(): this {
    return this;
  }

  override unref(): this {
    return this;
  }

  /** Idle times of Node's own are real ones, which have no meaning here. */
  override setTimeout(): this {
    return this;
  }

  override _read(): void {
    const afterRead = this.#afterRead;
    this.#afterRead = undefined;
    afterRead?.();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.#activity.count += 1;
    const taken: Done = (error) => {
      if (!error) this.#written += bytes.length;
      done(error);
    };
    process.nextTick(() => {
      const peer = this.#peer;
      if (peer === undefined || peer.destroyed || peer.readableEnded) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      } else peer.#arrive(bytes, taken);
    });
  }

  #arrive(bytes: Buffer, done: Done): void {
    const held = this.#held;
    if (held !== undefined && held.bytes + bytes.length > WINDOW_BYTES) {
      // It waits on the way until there is room.
      held.late = { bytes, done };
      return;
    }
    this.onArrival?.(bytes);
    if (held !== undefined) {
      held.chunks.push(bytes);
      held.bytes += bytes.length;
      done();
    } else if (this.push(bytes)) done();
    else this.#afterRead = done;
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    const bytes = chunks.map(({ chunk, encoding }) => Buffer.from(chunk as never, encoding));
    this._write(Buffer.concat(bytes), 'utf8', done);
  }

  override _final(done: Done): void {
    this.#activity.count += 1;
    process.nextTick(() => {
      if (this.#peer !== undefined) this.#peer.#hearEnd();
      done();
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#activity.count += 1;
    const held = this.#held;
    const afterRead = this.#afterRead ?? held?.late?.done;
    this.#afterRead = undefined;
    this.#held = undefined;
    const peer = this.#peer;
    const isReset = this.#isCutOff || this.readableLength > 0 || (held?.bytes ?? 0) > 0;
    process.nextTick(() => {
      afterRead?.();
      if (peer === undefined || peer.destroyed) return;
      if (isReset) peer.#hearReset();
      else peer.#hearEnd();
    });
    super._destroy(error, done);
  }

  /** As the kernel closes a socket whose process is gone. */
  cut(how: Cut): void {
    this.#isCutOff = how === 'reset';
    this.destroy();
  }

  #hearEnd(): void {
    if (this.#held !== undefined) this.#held.end ??= 'end';
    else if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  #hearReset(): void {
    if (this.#held !== undefined) this.#held.end = 'reset';
    else this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }
}

interface Held {
  readonly chunks: Buffer[];
  bytes: number;
  /** What found no room any more. */
  late: { readonly bytes: Buffer; readonly done: Done } | undefined;
  end: Cut | undefined;
}

/** What the kernel takes for a process that does not read. */
const WINDOW_BYTES = 64 * 1024;

/** Where the router connects from. */
const ROUTER_HOST = '10.255.0.1';
const FIRST_PORT = 1_024;

/** Counts what happens on all sockets: while it grows, the world is not at rest. */
export interface Activity {
  count: number;
  /** Both ends of every connection that is not over. */
  readonly open: Set<MemorySocket>;
}

/** A connection: what one side writes, the other reads. */
export function socketPair(activity: Activity): readonly [MemorySocket, MemorySocket] {
  const pair = [new MemorySocket(activity), new MemorySocket(activity)] as const;
  pair[0].join(pair[1]);
  pair[1].join(pair[0]);
  return pair;
}

/** What listens at an address. */
export interface Listener {
  /** False: the connection is refused. */
  accept(socket: MemorySocket, from: Address): boolean;
}

/** One end of a connection, as the other end's kernel names it. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Network {
  readonly activity: Activity = { count: 0, open: new Set() };
  readonly #listeners = new Map<string, Listener>();
  #hosts = 0;
  #ports = FIRST_PORT;
  /** The ends of those who connected. */
  readonly #clients = new Set<MemorySocket>();

  /** An address of its own for what listens there. */
  listen(listener: Listener): string {
    this.#hosts += 1;
    const host = `10.0.${this.#hosts >> 8}.${this.#hosts & 255}`;
    this.#listeners.set(host, listener);
    return host;
  }

  close(host: string): void {
    this.#listeners.delete(host);
  }

  /** As `net.connect`: the outcome is told a moment later. */
  connect(to: { readonly host: string }): MemorySocket {
    const [near, far] = socketPair(this.activity);
    this.activity.count += 1;
    this.#ports += 1;
    const from = { host: ROUTER_HOST, port: this.#ports };
    near.bind(from);
    this.#clients.add(near);
    near.once('close', () => this.#clients.delete(near));
    process.nextTick(() => {
      if (near.destroyed) return;
      if (this.#listeners.get(to.host)?.accept(far, from) ?? false) near.emit('connect');
      else
        near.destroy(
          Object.assign(new Error(`connect ECONNREFUSED ${to.host}`), { code: 'ECONNREFUSED' }),
        );
    });
    return near;
  }

  /** The world is over: what Node's parsers hold of a connection they let go of when it closes, and not before. */
  end(): void {
    const open = [...this.activity.open];
    for (const socket of open) socket.on('error', () => {});
    for (const socket of open) socket.destroy();
  }

  /** The process that connected is killed. */
  cutClients(): void {
    for (const socket of this.#clients) {
      socket.on('error', () => {});
      socket.cut('reset');
    }
  }
}
