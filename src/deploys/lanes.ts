/** How many builds run at once; the others wait in order of arrival and know their place. */

export interface Lanes {
  /**
   * Resolves with what gives the lane back, or with undefined when `signal` aborted first.
   * `onPlace` hears how many are before this one, at first and whenever it changes, while there are any.
   */
  enter(signal: AbortSignal, onPlace: (before: number) => void): Promise<(() => void) | undefined>;
  isBusy(): boolean;
  /** All lanes at once, for work that no build may meet; undefined when one is taken or waited for. */
  takeAll(): (() => void) | undefined;
}

interface Waiter {
  readonly onPlace: (before: number) => void;
  readonly admit: () => void;
}

export function createLanes(count: number): Lanes {
  const waiting: Waiter[] = [];
  let busy = 0;

  function tellPlaces(): void {
    for (const [index, waiter] of waiting.entries()) waiter.onPlace(busy + index);
  }

  function admitNext(): void {
    const next = busy < count ? waiting.shift() : undefined;
    if (!next) return;
    busy += 1;
    next.admit();
    tellPlaces();
  }

  return {
    isBusy: () => busy > 0,
    takeAll() {
      if (busy > 0 || waiting.length > 0) return undefined;
      busy = count;
      return () => {
        busy -= count;
        for (let lane = 0; lane < count; lane += 1) admitNext();
      };
    },
    enter: (signal, onPlace) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve(undefined);
          return;
        }
        let given = false;
        const leave = () => {
          if (given) return;
          given = true;
          busy -= 1;
          admitNext();
        };
        const waiter: Waiter = {
          onPlace,
          admit: () => {
            signal.removeEventListener('abort', giveUp);
            resolve(leave);
          },
        };
        const giveUp = () => {
          waiting.splice(waiting.indexOf(waiter), 1);
          tellPlaces();
          resolve(undefined);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(waiter);
        if (busy >= count) onPlace(busy + waiting.length - 1);
        admitNext();
      }),
  };
}
