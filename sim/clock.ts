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
    await settle();
    for (;;) {
      const next = this.#earliest();
      if (!next || next.at > until) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle();
    }
    this.#now = until;
    await settle();
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

/** Everything in the simulation waits on promises alone, so one turn of the event loop drains it. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
