/** Lets at most so many calls run at once, first come first served: Podman's parallel calls contend on its locks. */

export interface Gate {
  run<Result>(call: () => Promise<Result>): Promise<Result>;
}

/** A gate that `limit` calls may pass at the same time. */
export function createGate(limit: number): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];

  return {
    async run(call) {
      if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
      else running += 1;
      try {
        return await call();
      } finally {
        const next = waiting.shift();
        // The place is handed over, so that nobody who comes now can overtake.
        if (next) next();
        else running -= 1;
      }
    },
  };
}
