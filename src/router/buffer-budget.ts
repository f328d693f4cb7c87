/** How much of requests' bodies is held in memory: over all requests together, and fairly between deployments. */
export class BufferBudget {
  readonly #most: number;
  #used = 0;
  readonly #usedBy = new Map<string, number>();

  /** `most` in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Nobody may hold more than is then left free: one alone gets half, and however many hold something, the next one finds
   * room (dynamic thresholds: Choudhury and Hahne, 1998).
   *
   * @returns false when there is no room; then nothing was taken.
   */
  take(owner: string, bytes: number): boolean {
    const own = (this.#usedBy.get(owner) ?? 0) + bytes;
    const used = this.#used + bytes;
    if (own > this.#most - used) return false;
    this.#used = used;
    this.#usedBy.set(owner, own);
    return true;
  }

  give(owner: string, bytes: number): void {
    if (bytes === 0) return;
    this.#used -= bytes;
    const own = (this.#usedBy.get(owner) ?? 0) - bytes;
    if (own > 0) this.#usedBy.set(owner, own);
    else this.#usedBy.delete(owner);
  }
}
