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

  constructor(activity: Activity) {
    super({ allowHalfOpen: true });
    this.#activity = activity;
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
    process.nextTick(() => {
      const peer = this.#peer;
      if (peer === undefined || peer.destroyed || peer.readableEnded) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      } else if (peer.push(bytes)) done();
      else peer.#afterRead = done;
    });
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
    const afterRead = this.#afterRead;
    this.#afterRead = undefined;
    const peer = this.#peer;
    const isReset = this.#isCutOff || this.readableLength > 0;
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
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }

  #hearReset(): void {
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }
}

/** Counts what happens on all sockets: while it grows, the world is not at rest. */
export interface Activity {
  count: number;
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
  accept(socket: MemorySocket): boolean;
}

export class Network {
  readonly activity: Activity = { count: 0 };
  readonly #listeners = new Map<string, Listener>();
  #hosts = 0;
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
    this.#clients.add(near);
    near.once('close', () => this.#clients.delete(near));
    process.nextTick(() => {
      if (near.destroyed) return;
      if (this.#listeners.get(to.host)?.accept(far) ?? false) near.emit('connect');
      else
        near.destroy(
          Object.assign(new Error(`connect ECONNREFUSED ${to.host}`), { code: 'ECONNREFUSED' }),
        );
    });
    return near;
  }

  /** The process that connected is killed. */
  cutClients(): void {
    for (const socket of this.#clients) {
      socket.on('error', () => {});
      socket.cut('reset');
    }
  }
}
