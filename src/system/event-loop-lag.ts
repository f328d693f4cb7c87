/** How late the thread that serves requests is: the measure of whether anything blocks it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../ports/clock.ts';

/** The monitor sets a timer of this many ms and notes when it comes; what is longer is lag. */
const RESOLUTION_MS = 10;
const WINDOW_MS = 60_000;
const NS_PER_MS = 1e6;

export interface Lag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LagMonitor {
  /** In ms, over the present minute. */
  read(): Lag;
  close(): void;
}

export function monitorLag(clock: Clock): LagMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const stop = new AbortController();
  histogram.enable();
  void renew();

  async function renew(): Promise<void> {
    for (;;) {
      await clock.sleep(WINDOW_MS, stop.signal);
      if (stop.signal.aborted) return;
      histogram.reset();
    }
  }

  const lag = (ns: number) =>
    Number.isFinite(ns) ? Math.max(0, Math.round((ns / NS_PER_MS - RESOLUTION_MS) * 100) / 100) : 0;
  return {
    read: () => ({
      p50: lag(histogram.percentile(50)),
      p99: lag(histogram.percentile(99)),
      max: lag(histogram.max),
    }),
    close() {
      stop.abort();
      histogram.disable();
    },
  };
}
