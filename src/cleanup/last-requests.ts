/** When each deployment was last asked: kept in memory, and written in one go once in a while. */
import type { DeploymentId } from '../core/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Store } from '../ports/store.ts';

/** What a power cut may take away of a deployment that is asked all the time: lives are counted in days. */
const WRITE_AGAIN_MS = 60 * 60 * 1000;
const FLUSH_EVERY_MS = 60 * 1000;

export interface LastRequests {
  /** Costs a look into a map: called for every request. */
  note(id: DeploymentId): void;
  /** ms since the epoch, up to now. */
  all(): ReadonlyMap<DeploymentId, number>;
  /** Writes what is not yet written. What cannot be written is tried again with the next. */
  flush(): Promise<void>;
  /** Flushes once in a while, until `signal` aborts, and then everything. */
  keep(signal: AbortSignal): Promise<void>;
}

export async function openLastRequests({
  store,
  clock,
  reporter,
}: {
  readonly store: Pick<Store, 'lastRequests' | 'noteRequests'>;
  readonly clock: Clock;
  readonly reporter: Reporter;
}): Promise<LastRequests> {
  const written = new Map(await store.lastRequests());
  const latest = new Map(written);

  async function flush(leastMs: number): Promise<void> {
    const news = new Map<DeploymentId, number>();
    for (const [id, at] of latest) {
      const before = written.get(id);
      if (before === undefined || at - before > leastMs) news.set(id, at);
    }
    if (news.size === 0) return;
    try {
      await store.noteRequests(news);
      for (const [id, at] of news) written.set(id, at);
    } catch (error) {
      // A full disk must not stop anything: the times stay here.
      reporter.report('warn', 'requests.unwritten', { error: String(error) });
    }
  }

  return {
    note: (id) => void latest.set(id, clock.now()),
    all: () => latest,
    flush: () => flush(0),
    async keep(signal) {
      while (!signal.aborted) {
        await clock.sleep(FLUSH_EVERY_MS, signal);
        await flush(signal.aborted ? 0 : WRITE_AGAIN_MS);
      }
    },
  };
}
