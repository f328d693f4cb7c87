/** Proves that what happened is what Prometheus reads, and that what it reads stays bounded. */
import { describe, expect, test } from 'vitest';
import type { InstanceView } from '../core/model.ts';
import { Buckets } from './buckets.ts';
import { createMetrics, type Metrics } from './open.ts';
import { MAX_DEPLOYMENTS, type RequestFigures } from './requests.ts';

const REQUEST: RequestFigures = {
  deploymentId: 'shop-1',
  status: 200,
  error: undefined,
  start: 'warm',
  appMs: 2,
  totalMs: 3,
  bytesIn: 5,
  bytesOut: 70,
  retries: 0,
};

const instance = (deploymentId: string, state: InstanceView['state'], inFlight = 0) => ({
  id: `${deploymentId}.x`,
  deploymentId,
  state,
  inFlight,
  createdAt: 0,
  runningMs: 0,
  because: '',
});

function metricsOf(known: ReadonlySet<string>, instances: readonly InstanceView[] = []): Metrics {
  return createMetrics({
    version: '1.2.3',
    isKnown: (id) => known.has(id),
    instances: () => instances,
    waiting: () => 4,
    eventLoopLag: () => ({ p50: 0.5, p99: 2, max: 30 }),
  });
}

/** Lines of a scrape that are values, without those of the process itself. */
async function linesOf(metrics: Metrics): Promise<readonly string[]> {
  const text = await metrics.scrape();
  return text.split('\n').filter((line) => line !== '' && !/^(#|process_)/.test(line));
}

describe('buckets', () => {
  test('hold each time once, at its bound or below', () => {
    const buckets = new Buckets([0.001, 0.01]);
    for (const ms of [0.2, 1, 1.1, 10, 11, 400]) buckets.observe(ms);
    expect(buckets.cumulative()).toEqual([2, 4]);
    expect(buckets.count).toBe(6);
    expect(buckets.sum).toBeCloseTo(0.4233);
  });
});

describe('requests', () => {
  test('are counted by deployment, class of status and start, with their times', async () => {
    const metrics = metricsOf(new Set(['shop-1']));
    metrics.count(REQUEST);
    metrics.count({ ...REQUEST, status: 204, start: 'thawed', retries: 2, totalMs: 9_000 });
    metrics.count({
      ...REQUEST,
      status: 502,
      error: 'INSTANCE_DIED',
      start: undefined,
      appMs: undefined,
    });
    const lines = await linesOf(metrics);
    const deployment = 'deployment="shop-1"';
    expect(lines).toEqual(
      expect.arrayContaining([
        `berth_requests_total{${deployment},status="2xx",start="warm"} 1`,
        `berth_requests_total{${deployment},status="2xx",start="thawed"} 1`,
        `berth_requests_total{${deployment},status="5xx",start="none"} 1`,
        `berth_request_duration_seconds_bucket{le="0.0025",${deployment}} 0`,
        `berth_request_duration_seconds_bucket{le="0.005",${deployment}} 2`,
        `berth_request_duration_seconds_bucket{le="+Inf",${deployment}} 3`,
        `berth_request_duration_seconds_count{${deployment}} 3`,
        `berth_app_duration_seconds_sum{${deployment}} 0.004`,
        `berth_request_replays_total{${deployment}} 2`,
        `berth_request_received_bytes_total{${deployment}} 15`,
        `berth_request_sent_bytes_total{${deployment}} 210`,
        'berth_request_errors_total{code="INSTANCE_DIED"} 1',
      ]),
    );
  });

  test('that became WebSockets count, but how long people stayed is no latency', async () => {
    const metrics = metricsOf(new Set(['shop-1']));
    metrics.count({ ...REQUEST, status: 101, totalMs: 3_600_000 });
    const lines = await linesOf(metrics);
    expect(lines).toContain(
      'berth_requests_total{deployment="shop-1",status="1xx",start="warm"} 1',
    );
    expect(lines).toContain('berth_request_duration_seconds_count{deployment="shop-1"} 0');
  });

  test('for hosts where nothing is deployed, and those nobody waited for, have labels too', async () => {
    const metrics = metricsOf(new Set());
    metrics.count({ ...REQUEST, deploymentId: undefined, status: 404, start: undefined });
    metrics.count({ ...REQUEST, deploymentId: undefined, status: 0, start: undefined });
    const lines = await linesOf(metrics);
    expect(lines).toContain(
      'berth_requests_total{deployment="(none)",status="4xx",start="none"} 1',
    );
    expect(lines).toContain(
      'berth_requests_total{deployment="(none)",status="none",start="none"} 1',
    );
  });

  test('of a deployment that is gone are dropped with it', async () => {
    const known = new Set(['shop-1', 'blog-1']);
    const metrics = metricsOf(known);
    metrics.count(REQUEST);
    metrics.count({ ...REQUEST, deploymentId: 'blog-1' });
    expect((await linesOf(metrics)).join('\n')).toContain('shop-1');
    known.delete('shop-1');
    const text = (await linesOf(metrics)).join('\n');
    expect(text).not.toContain('shop-1');
    expect(text).toContain('blog-1');
  });

  test('of more deployments than have series of their own are counted together', async () => {
    const ids = Array.from({ length: MAX_DEPLOYMENTS + 50 }, (_, index) => `app-${index}`);
    const metrics = metricsOf(new Set(ids));
    for (const deploymentId of ids) metrics.count({ ...REQUEST, deploymentId });
    const counts = (await linesOf(metrics)).filter((line) => line.startsWith('berth_requests'));
    expect(counts.filter((line) => line.includes('berth_requests_total'))).toHaveLength(
      MAX_DEPLOYMENTS + 1,
    );
    expect(counts).toContain(
      'berth_requests_total{deployment="(others)",status="2xx",start="warm"} 50',
    );
  });
});

describe('what the parts report', () => {
  test('is passed on and counted: starts with their phases, failures, demotions, builds', async () => {
    const metrics = metricsOf(new Set());
    const passed: string[] = [];
    const reporter = metrics.watch({
      report: (level, event) => void passed.push(`${level} ${event}`),
    });
    reporter.report('info', 'instance.ready', { start: 'thawed', bootMs: 0.7, portMs: 0 });
    reporter.report('info', 'instance.ready', {
      ...{ start: 'cold', createMs: 8, parkMs: 80, bootMs: 100, portMs: 40 },
    });
    reporter.report('info', 'instance.parked', { createMs: 7, parkMs: 90 });
    reporter.report('warn', 'instance.start-failed', { code: 'NO_PORT' });
    reporter.report('warn', 'instance.died', {});
    reporter.report('info', 'instance.demoted', { to: 'parked' });
    reporter.report('warn', 'client.ended', { why: 'overhead', client: '203.0.113.7' });
    reporter.report('info', 'build.ended', { ms: 1_000 });
    reporter.report('info', 'build.ended', { ms: 1_000, code: 'BUILD_FAILED' });
    reporter.report('info', 'deploy.ended', { state: 'ready' });
    expect(passed).toHaveLength(10);
    const lines = await linesOf(metrics);
    expect(lines).toEqual(
      expect.arrayContaining([
        'berth_starts_total{start="thawed"} 1',
        'berth_starts_total{start="cold"} 1',
        'berth_start_phase_seconds_bucket{le="0.001",phase="thaw",start="thawed"} 1',
        'berth_start_phase_seconds_sum{phase="create",start="cold"} 0.008',
        'berth_start_phase_seconds_sum{phase="park",start="cold"} 0.08',
        'berth_start_phase_seconds_sum{phase="boot",start="cold"} 0.012',
        'berth_start_phase_seconds_sum{phase="port",start="cold"} 0.04',
        'berth_start_phase_seconds_sum{phase="park",start="parked"} 0.09',
        'berth_failed_starts_total{code="NO_PORT"} 1',
        'berth_instance_deaths_total 1',
        'berth_http2_abuses_total{why="overhead"} 1',
        'berth_demotions_total{tier="parked"} 1',
        'berth_builds_total{outcome="built"} 1',
        'berth_builds_total{outcome="BUILD_FAILED"} 1',
        'berth_deploys_total{outcome="ready"} 1',
      ]),
    );
  });
});

describe('what is now', () => {
  test('is looked at when it is asked for', async () => {
    const instances = [
      instance('shop-1', 'busy', 3),
      instance('shop-1', 'busy', 1),
      instance('blog-1', 'frozen'),
    ];
    const metrics = metricsOf(new Set(['shop-1', 'blog-1']), instances);
    const first = await linesOf(metrics);
    expect(first).toEqual(
      expect.arrayContaining([
        'berth_instances{state="busy"} 2',
        'berth_instances{state="frozen"} 1',
        'berth_instances{state="parked"} 0',
        'berth_leases{deployment="shop-1"} 4',
        'berth_requests_waiting 4',
        'berth_event_loop_lag_seconds{quantile="0.99"} 0.002',
        'berth_info{version="1.2.3"} 1',
      ]),
    );
    instances.length = 0;
    const text = (await linesOf(metrics)).join('\n');
    expect(text).toContain('berth_instances{state="busy"} 0');
    expect(text).not.toContain('berth_leases{');
  });
});
