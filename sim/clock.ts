/** Virtual time: sleeps end in order of their times, and only when the simulation lets time pass. */
import type { Clock } from '../src/ports/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly sequence: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #now = 1_000_000;
  #sequence = 0;
  readonly #sleepers = new Set<Sleeper>();
  readonly #activity: { readonly count: number } | undefined;

  /** `activity` grows while something happens that needs more than one turn of the event loop. */
  constructor(activity?: { readonly count: number }) {
    this.#activity = activity;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      this.#sequence += 1;
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), sequence: this.#sequence, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets all that is ready run, then passes `ms` of time, one sleeper after the other. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.#settle();
    for (;;) {
      const next = this.#earliest();
      if (!next || next.at > until) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await this.#settle();
    }
    this.#now = until;
    await this.#settle();
  }

  /** Lets everything run that waits for no time. Node's HTTP takes a few turns between one byte and the next. */
  async #settle(): Promise<void> {
    await turn();
    const activity = this.#activity;
    if (activity === undefined) return;
    for (let seen = -1; seen !== activity.count; ) {
      seen = activity.count;
      for (let count = 0; count < QUIET_TURNS; count += 1) await turn();
    }
  }

  #earliest(): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (
        !earliest ||
        sleeper.at < earliest.at ||
        (sleeper.at === earliest.at && sleeper.sequence < earliest.sequence)
      ) {
        earliest = sleeper;
      }
    }
    return earliest;
  }
}

const QUIET_TURNS = 3;

/** What waits on promises alone is done within one turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
