/** Counts the connections of each client, so that one alone cannot use up what there is for all. */
import type { Socket } from 'node:net';
import type { TrustedProxies } from './trusted-proxies.ts';

export class Crowd {
  readonly #most: number;
  readonly #exempt: TrustedProxies;
  readonly #byAddress = new Map<string, number>();

  /** `most` connections of one address at the same time; a trusted proxy brings those of many clients. */
  constructor(most: number, exempt: TrustedProxies) {
    this.#most = most;
    this.#exempt = exempt;
  }

  /** False: the client has enough. Who is admitted counts until the socket closes. */
  admits(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    if (this.#exempt.has(address)) return true;
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
