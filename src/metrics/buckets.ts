/** Times sorted into buckets by plain counters: cheap enough for the way of every request. */

/** Upper bounds in seconds, from a warm answer to the longest request that is usual. */
export const REQUEST_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
];
/** Upper bounds in seconds, from a thaw to the longest boot that is waited for. */
export const BOOT_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

export class Buckets {
  readonly bounds: readonly number[];
  /** One more than there are bounds: the last one takes what is longer than all of them. */
  readonly #counts: Float64Array;
  count = 0;
  /** In seconds. */
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(ms: number): void {
    const seconds = ms / 1_000;
    let index = 0;
    // Most times are short: the first few comparisons find their place.
    while (index < this.bounds.length && seconds > (this.bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count += 1;
    this.sum += seconds;
  }

  /** How many were at most as long as each bound, in the order of the bounds. */
  cumulative(): readonly number[] {
    let sum = 0;
    return this.bounds.map((_, index) => (sum += this.#counts[index] ?? 0));
  }
}
