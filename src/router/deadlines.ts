/** Many deadlines on one timer: a sweep four times a second while there are any. */
import type { Clock } from '../ports/clock.ts';
import { Bag, type BagMember } from '../core/bag.ts';

/** Deadlines are seconds to minutes long, so a quarter of a second more is nothing, and a timer per request is saved. */
const SWEEP_MS = 250;

/** Something to be done at a time, unless it is cancelled before. */
export interface Deadline extends BagMember {
  /** ms since the epoch. */
  readonly at: number;
  readonly passed: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #pending = new Bag<Deadline>();
  readonly #closed = new AbortController();
  #isSweeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `passed` once, at most a quarter of a second after `ms` from now. */
  add(ms: number, passed: () => void): Deadline {
    const deadline = { at: this.#clock.now() + ms, passed, bagIndex: -1 };
    this.#pending.add(deadline);
    if (!this.#isSweeping) void this.#sweep();
    return deadline;
  }

  /** Cancelling what has passed or was cancelled does nothing. */
  cancel(deadline: Deadline): void {
    this.#pending.remove(deadline);
  }

  /** Its time has come, whether or not it was noticed yet. */
  isPassed({ at }: Deadline): boolean {
    return at <= this.#clock.now();
  }

  /** Forgets all deadlines. */
  close(): void {
    this.#pending.take();
    this.#closed.abort();
  }

  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    while (this.#pending.size > 0) {
      await this.#clock.sleep(SWEEP_MS, this.#closed.signal);
      const now = this.#clock.now();
      for (const deadline of this.#pending.take(({ at }) => at <= now)) deadline.passed();
    }
    this.#isSweeping = false;
  }
}
