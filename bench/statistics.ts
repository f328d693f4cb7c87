/** Percentiles of samples, and a line that shows them. */

export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
}

/** Nearest-rank percentile, 0 < p ≤ 100. @throws RangeError without samples. */
function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no samples');
  return value;
}

/** @throws RangeError without samples. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

export function summarise(samples: readonly number[]): Summary {
  return {
    count: samples.length,
    p50: percentile(samples, 50),
    p95: percentile(samples, 95),
    p99: percentile(samples, 99),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}

/** `p50 0.9, p95 1.3, p99 2.1 ms (108 rounds)`. */
export function describeMs(summary: Summary): string {
  const { p50, p95, p99, count } = summary;
  return `p50 ${p50.toFixed(2)}, p95 ${p95.toFixed(2)}, p99 ${p99.toFixed(2)} ms (${count} rounds)`;
}
