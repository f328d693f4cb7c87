/** One at a time for each environment, in order of arrival; not endlessly many. */
import { BerthError } from '../core/errors.ts';

/** Who waits longer than for this many would not know any more what was asked for. */
const MOST_WAITING = 20;

export interface Queue {
  /** Throws RELEASE_IN_PROGRESS when too many wait already. */
  take<Result>(key: string, act: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing is under way any more. */
  settled(): Promise<void>;
}

export function createQueue(): Queue {
  const lines = new Map<string, { last: Promise<unknown>; length: number }>();
  return {
    async take(key, act) {
      const line = lines.get(key) ?? { last: Promise.resolve(), length: 0 };
      if (line.length > MOST_WAITING) {
        const detail = `${line.length} releases of ${key} are under way or wait.`;
        throw new BerthError('RELEASE_IN_PROGRESS', { detail, retryAfterSeconds: 5 });
      }
      const turn = line.last.then(act, act);
      line.last = turn.catch(() => undefined);
      line.length += 1;
      lines.set(key, line);
      try {
        return await turn;
      } finally {
        line.length -= 1;
        if (line.length === 0) lines.delete(key);
      }
    },
    async settled() {
      while (lines.size > 0) await Promise.all([...lines.values()].map(({ last }) => last));
    },
  };
}
