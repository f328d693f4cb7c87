/** Calls back at a time that may be set anew, always for the earliest of what was asked for last. */
import type { Clock } from '../ports/clock.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #isClosed = false;
  #set: { readonly at: number; readonly off: AbortController } | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** The time for which it is set, ms since the epoch. */
  get at(): number | undefined {
    return this.#set?.at;
  }

  /** Rings at the earliest of these times, and not at the one that was set before. */
  set(times: readonly (number | undefined)[]): void {
    const at = Math.min(...times.map((time) => time ?? Infinity));
    if (at === this.#set?.at) return;
    this.#off();
    if (at === Infinity || this.#isClosed) return;
    const off = new AbortController();
    this.#set = { at, off };
    void this.#clock.sleep(Math.max(0, at - this.#clock.now()), off.signal).then(() => {
      if (off.signal.aborted) return;
      this.#set = undefined;
      this.#ring();
    });
  }

  /** It rings no more. */
  close(): void {
    this.#isClosed = true;
    this.#off();
  }

  #off(): void {
    this.#set?.off.abort();
    this.#set = undefined;
  }
}
