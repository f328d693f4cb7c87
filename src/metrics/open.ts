/** The figures of a server for Prometheus: counted in passing, put into words only when somebody asks. */
import { setImmediate } from 'node:timers/promises';
import { Counter, Gauge, Registry } from 'prom-client';
import type { DeploymentId, InstanceState, InstanceView } from '../core/model.ts';
import type { Reporter } from '../ports/reporter.ts';
import { BucketHistogram } from './bucket-histogram.ts';
import type { Buckets } from './buckets.ts';
import { Events } from './events.ts';
import {
  type DeploymentFigures,
  type RequestFigures,
  Requests,
  STARTS,
  STATUS_CLASSES,
} from './requests.ts';

export interface MetricsOptions {
  readonly version: string;
  /** Whether a deployment is still there; the series of others go. */
  readonly isKnown: (id: DeploymentId) => boolean;
  readonly instances: () => readonly InstanceView[];
  /** Requests that wait for an instance now. */
  readonly waiting: () => number;
  /** In ms. */
  readonly eventLoopLag: () => Readonly<Record<'p50' | 'p99' | 'max', number>>;
}

export interface Metrics {
  /** To be called for every request that has ended. */
  count(request: RequestFigures): void;
  /** A reporter that passes everything on and counts what it sees. */
  watch(reporter: Reporter): Reporter;
  /** Prometheus text. */
  scrape(): Promise<string>;
  readonly contentType: string;
}

const STATES: readonly InstanceState[] = [
  'parked',
  'booting',
  'ready',
  'busy',
  'frozen',
  'reclaimed',
  'draining',
];
const MS_PER_SECOND = 1_000;
const US_PER_SECOND = 1e6;

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const requests = new Requests();
  const events = new Events();
  addRequests(registry, requests);
  addEvents(registry, events);
  addState(registry, options, requests);
  addProcess(registry, options);
  return {
    contentType: registry.contentType,
    count: (request) => requests.count(request),
    watch: (reporter) => ({
      report(level, event, facts) {
        events.note(event, facts);
        reporter.report(level, event, facts);
      },
    }),
    scrape() {
      requests.keep(options.isKnown);
      return textOf(registry);
    },
  };
}

/** Figure by figure, and between them the thread serves whoever came meanwhile. */
async function textOf(registry: Registry): Promise<string> {
  const texts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    texts.push(await registry.getSingleMetricAsString(name));
    await setImmediate();
  }
  return `${texts.join('\n\n')}\n`;
}

/** A counter whose values stand elsewhere. */
function counter<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  values: () => Iterable<readonly [Record<Label, string>, number]>,
): void {
  registry.registerMetric(
    new Counter({
      name,
      help,
      labelNames,
      registers: [],
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.inc(labels, value);
      },
    }),
  );
}

function gauge<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
  values: () => Iterable<readonly [Record<Label, string>, number]>,
): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      labelNames,
      registers: [],
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.set(labels, value);
      },
    }),
  );
}

function addRequests(registry: Registry, { byDeployment, errors }: Requests): void {
  const sums = (of: (figures: DeploymentFigures) => number) => () =>
    Array.from(byDeployment, ([deployment, figures]) => [{ deployment }, of(figures)] as const);
  const times = (of: (figures: DeploymentFigures) => Buckets) => () =>
    Array.from(byDeployment, ([deployment, figures]) => ({
      labels: { deployment },
      buckets: of(figures),
    }));

  counter(
    registry,
    'berth_requests_total',
    'Requests that have ended, by class of their status and by how the instance came to be ready.',
    ['deployment', 'status', 'start'],
    function* () {
      for (const [deployment, { requests }] of byDeployment) {
        for (const [index, count] of requests.entries()) {
          const status = STATUS_CLASSES[Math.trunc(index / STARTS.length)] ?? 'none';
          const start = STARTS[index % STARTS.length] ?? 'none';
          if (count > 0) yield [{ deployment, status, start }, count] as const;
        }
      }
    },
  );
  registry.registerMetric(
    new BucketHistogram({
      name: 'berth_request_duration_seconds',
      help: 'From the arrival of a request to the end of its answer; WebSockets are not in it.',
      series: times(({ totalTimes }) => totalTimes),
    }),
  );
  registry.registerMetric(
    new BucketHistogram({
      name: 'berth_app_duration_seconds',
      help: 'From the dispatch to an instance to the head of its answer.',
      series: times(({ appTimes }) => appTimes),
    }),
  );
  counter(
    registry,
    'berth_request_replays_total',
    'Attempts beyond the first.',
    ['deployment'],
    sums(({ retries }) => retries),
  );
  counter(
    registry,
    'berth_request_received_bytes_total',
    'Bodies of requests.',
    ['deployment'],
    sums(({ bytesIn }) => bytesIn),
  );
  counter(
    registry,
    'berth_request_sent_bytes_total',
    'Bodies of answers.',
    ['deployment'],
    sums(({ bytesOut }) => bytesOut),
  );
  counter(
    registry,
    'berth_request_errors_total',
    'Failures that the router answered or that cut an answer off, by code.',
    ['code'],
    () => labelled('code', errors),
  );
}

function addEvents(registry: Registry, events: Events): void {
  counter(registry, 'berth_starts_total', 'Instances made ready, by how.', ['start'], () =>
    labelled('start', events.starts),
  );
  registry.registerMetric(
    new BucketHistogram({
      name: 'berth_start_phase_seconds',
      help: 'Where the time of starts went. Spares that are parked ahead: create and park of `parked`.',
      *series() {
        for (const { phase, start, buckets } of events.phases())
          yield { labels: { phase, start }, buckets };
      },
    }),
  );
  counter(registry, 'berth_failed_starts_total', 'Starts that failed, by code.', ['code'], () =>
    labelled('code', events.failedStarts),
  );
  counter(
    registry,
    'berth_instance_deaths_total',
    'Instances that ended by themselves after they had been ready.',
    [],
    () => [[{}, events.deaths]],
  );
  counter(
    registry,
    'berth_demotions_total',
    'Resting instances that stepped down for memory, by the tier they went to.',
    ['tier'],
    () => labelled('tier', events.demotions),
  );
  counter(
    registry,
    'berth_http2_abuses_total',
    'Connections of HTTP/2 that were ended for what their client sent, by why.',
    ['why'],
    () => labelled('why', events.abuses),
  );
  counter(registry, 'berth_builds_total', 'Builds that have ended.', ['outcome'], () =>
    labelled('outcome', events.builds),
  );
  counter(registry, 'berth_deploys_total', 'Deploys that have ended.', ['outcome'], () =>
    labelled('outcome', events.deploys),
  );
}

/** One look at the instances serves two figures. */
function addState(registry: Registry, options: MetricsOptions, requests: Requests): void {
  const leases = new Map<string, number>();
  gauge(registry, 'berth_instances', 'Instances by what they do.', ['state'], () => {
    const states = new Map(STATES.map((state) => [state, 0]));
    leases.clear();
    for (const { state, inFlight, deploymentId } of options.instances()) {
      states.set(state, (states.get(state) ?? 0) + 1);
      if (inFlight === 0) continue;
      const label = requests.labelOf(deploymentId);
      leases.set(label, (leases.get(label) ?? 0) + inFlight);
    }
    return labelled('state', states);
  });
  gauge(
    registry,
    'berth_leases',
    'Requests and WebSockets that instances work on now.',
    ['deployment'],
    () => labelled('deployment', leases),
  );
  gauge(registry, 'berth_requests_waiting', 'Requests that wait for an instance.', [], () => [
    [{}, options.waiting()],
  ]);
}

function addProcess(registry: Registry, { version, eventLoopLag }: MetricsOptions): void {
  gauge(registry, 'berth_info', 'Always 1.', ['version'], () => [[{ version }, 1]]);
  gauge(
    registry,
    'berth_event_loop_lag_seconds',
    'How late the thread that serves requests was, over the present minute.',
    ['quantile'],
    () => {
      const { p50, p99, max } = eventLoopLag();
      return [
        [{ quantile: '0.5' }, p50 / MS_PER_SECOND],
        [{ quantile: '0.99' }, p99 / MS_PER_SECOND],
        [{ quantile: '1' }, max / MS_PER_SECOND],
      ];
    },
  );
  gauge(
    registry,
    'process_resident_memory_bytes',
    'Memory that the server itself holds.',
    [],
    () => [[{}, process.memoryUsage.rss()]],
  );
  counter(registry, 'process_cpu_seconds_total', 'CPU time of the server itself.', [], () => {
    const { user, system } = process.cpuUsage();
    return [[{}, (user + system) / US_PER_SECOND]];
  });
}

function labelled<Label extends string>(
  label: Label,
  counts: ReadonlyMap<string, number>,
): readonly (readonly [Record<Label, string>, number])[] {
  return Array.from(
    counts,
    ([value, count]) => [{ [label]: value } as Record<Label, string>, count] as const,
  );
}
