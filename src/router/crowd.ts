/** Counts the connections of each client, so that one alone cannot use up what there is for all. */
import type { Socket } from 'node:net';

export class Crowd {
  readonly #most: number;
  readonly #byAddress = new Map<string, number>();

  /** `most` connections of one address at the same time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** False: the client has enough. Who is admitted counts until the socket closes. */
  admits(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#most) return false;
    this.#byAddress.set(address, count + 1);
    socket.once('close', () => this.#leave(address));
    return true;
  }

  #leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
