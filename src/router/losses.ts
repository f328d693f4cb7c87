/** Tells requests that their instance is lost: one listener per signal, however many requests share it. */
import { Bag, type BagMember } from '../core/bag.ts';

export interface LossWatcher extends BagMember {
  onLost(): void;
}

export class Losses {
  readonly #bySignal = new WeakMap<AbortSignal, Bag<LossWatcher>>();

  /** Calls `onLost` when the signal aborts, unless `unwatch` comes before. */
  watch(lost: AbortSignal, watcher: LossWatcher): void {
    this.#watchersOf(lost).add(watcher);
  }

  unwatch(lost: AbortSignal, watcher: LossWatcher): void {
    this.#bySignal.get(lost)?.remove(watcher);
  }

  #watchersOf(lost: AbortSignal): Bag<LossWatcher> {
    let watchers = this.#bySignal.get(lost);
    if (watchers === undefined) {
      const bag = new Bag<LossWatcher>();
      const tell = () => {
        for (const watcher of bag.take()) watcher.onLost();
      };
      lost.addEventListener('abort', tell, { once: true });
      this.#bySignal.set(lost, bag);
      watchers = bag;
    }
    return watchers;
  }
}
