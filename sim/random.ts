/** Chance from a seed: the same seed draws the same world. */
import type { Random } from '../src/ports/random.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** mulberry32 by Tommy Ettinger (public domain): 32 bits of state, plenty for a simulation. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  id(length: number): string {
    return Array.from({ length }, () => ALPHABET.charAt(this.between(0, 31))).join('');
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  any<T>(list: readonly T[]): T {
    const one = list[this.between(0, list.length - 1)];
    if (one === undefined) throw new Error('an empty list has no element');
    return one;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
}
