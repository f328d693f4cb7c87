/** A Prometheus histogram whose counting is done elsewhere: it reads ready-made buckets when it is scraped. */
import { Histogram } from 'prom-client';
import type { Buckets } from './buckets.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: Buckets;
}

export interface BucketHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Called once per scrape. */
  readonly series: () => Iterable<Series>;
}

interface Value {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class BucketHistogram extends Histogram {
  readonly #options: BucketHistogramOptions;

  constructor(options: BucketHistogramOptions) {
    super({ name: options.name, help: options.help, registers: [] });
    this.#options = options;
  }

  /** What the registry asks for when it writes the text. */
  getForPromString(): object {
    const { name, help } = this.#options;
    const values: Value[] = [];
    for (const { labels: sharedLabels, buckets } of this.#options.series()) {
      const add = (suffix: string, value: number, labels: Value['labels'] = {}) =>
        values.push({ metricName: `${name}_${suffix}`, labels, sharedLabels, value });
      const counts = buckets.cumulative();
      buckets.bounds.forEach((le, index) => add('bucket', counts[index] ?? 0, { le }));
      add('bucket', buckets.count, { le: '+Inf' });
      add('sum', buckets.sum);
      add('count', buckets.count);
    }
    return { name, help, type: 'histogram', values };
  }
}
