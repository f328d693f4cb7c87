/** One at a time per key: a deploy and a removal of the same deployment never overlap. */

export interface Turns {
  /** Runs `act` when everything taken before under the same key has ended. */
  take<Result>(key: string, act: () => Promise<Result>): Promise<Result>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    async take(key, act) {
      const before = last.get(key);
      const turn = (async () => {
        // How an earlier turn ended is told to whoever took it.
        await before?.catch(() => undefined);
        return act();
      })();
      last.set(key, turn);
      try {
        return await turn;
      } finally {
        if (last.get(key) === turn) last.delete(key);
      }
    },
  };
}
