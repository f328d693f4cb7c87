/** How much of requests' bodies is held in memory, over all requests together. */
export class BufferBudget {
  readonly #most: number;
  #used = 0;

  /** `most` in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** False: there is no room, and nothing was taken. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#most) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
