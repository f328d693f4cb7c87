/** Proves that Prometheus can read a running server, who may, and that each request is one line of the log. */
import { get } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../client/client.ts';
import { startServer } from '../server.ts';
import type { RunningServer, ServerOptions } from '../server.ts';
import { systemClock } from '../system/clock.ts';

let folder: string;
let server: RunningServer | undefined;
const served: Readonly<Record<string, unknown>>[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-metrics-'));
  served.length = 0;
});
afterEach(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<ServerOptions> = {}) {
  const running = await startServer({
    data: folder,
    listen: '127.0.0.1:0',
    domain: 'localhost',
    engine: 'memory',
    reporter: {
      report: (_level, event, facts) => void (event === 'request.served' && served.push(facts)),
    },
    ...options,
  });
  server = running;
  const url = `http://${running.address}`;
  const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  const client = createClient({ url, token, sleep });
  return {
    client,
    deploy: async () => {
      const source = { kind: 'image', reference: 'app:1' } as const;
      const { deployment } = await client.deploy({ project: 'shop', source });
      for await (const event of client.progress(deployment.id)) expect(event).toBeDefined();
      return deployment.id;
    },
    visit: (id: string, path = '/') =>
      new Promise<void>((resolve, reject) => {
        const [hostname, port] = running.address.split(':');
        const headers = { host: `${id}.localhost` };
        get({ hostname, port, path, headers, agent: false }, (response) => {
          response.resume().on('end', resolve);
        }).on('error', reject);
      }),
    scrape: (headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
      fetch(`${url}/metrics`, { headers }),
  };
}

test('a scrape tells what a request and its start were, in the form of Prometheus', async () => {
  const { deploy, visit, scrape, client } = await start();
  const id = await deploy();
  await visit(id);
  await visit(id);
  await expect.poll(() => served.length).toBe(2);
  const answer = await scrape();
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await answer.text();
  const lines = text.split('\n');
  for (const line of lines) {
    expect(line).toMatch(
      /^$|^# (HELP|TYPE) [a-z_][a-z0-9_]* .+|^[a-z_][a-z0-9_]*(\{([a-z]+="[^"]*",?)+\})? [\d.e+-]+$/,
    );
  }
  for (const start of ['thawed', 'warm']) {
    expect(lines).toContain(
      `berth_requests_total{deployment="${id}",status="2xx",start="${start}"} 1`,
    );
  }
  expect(lines).toContain(`berth_request_duration_seconds_count{deployment="${id}"} 2`);
  expect(lines).toContain(`berth_app_duration_seconds_count{deployment="${id}"} 2`);
  expect(lines).toContain('berth_starts_total{start="cold"} 1');
  expect(lines).toContain('berth_starts_total{start="thawed"} 1');
  for (const phase of ['create', 'park', 'boot', 'port'])
    expect(text).toContain(`berth_start_phase_seconds_count{phase="${phase}",start="cold"} 1`);
  expect(lines).toContain('berth_instances{state="ready"} 1');
  expect(lines).toContain('berth_requests_waiting 0');
  expect(lines).toContain('berth_deploys_total{outcome="ready"} 1');
  expect(Number(/process_resident_memory_bytes (\d+)/.exec(text)?.[1])).toBeGreaterThan(1e6);

  await client.remove(id);
  expect(await (await scrape()).text()).not.toContain(id);
});

test('figures name deployments, so they ask for the token unless the operator opened them', async () => {
  const closed = await start();
  expect((await closed.scrape({})).status).toBe(401);
  await server?.close();
  const open = await start({ hasOpenMetrics: true });
  expect((await open.scrape({})).status).toBe(200);
});

test('each request is one line: who was served by which instance, how, and where the time went', async () => {
  const { deploy, visit } = await start();
  const id = await deploy();
  await visit(id, '/cart?secret=1');
  await expect.poll(() => served.length).toBe(1);
  const tenth = expect.toSatisfy((ms: number) => Number.isInteger(Math.round(ms * 1e6) / 1e5));
  expect(served[0]).toEqual({
    id: expect.any(String) as unknown,
    deployment: id,
    instance: expect.stringContaining(`${id}.`) as unknown,
    remote: '127.0.0.1',
    method: 'GET',
    host: `${id}.localhost`,
    path: '/cart',
    status: 200,
    error: undefined,
    start: 'thawed',
    ...{ waitMs: tenth, bootMs: tenth, portMs: 0, appMs: tenth, totalMs: tenth },
    bytesIn: 0,
    bytesOut: expect.any(Number) as unknown,
    retries: 0,
    aborted: false,
  });
});

test('without an access log requests are counted all the same', async () => {
  const { deploy, visit, scrape } = await start({ hasAccessLog: false });
  const id = await deploy();
  await visit(id);
  await expect
    .poll(async () => (await scrape()).text())
    .toContain(`berth_requests_total{deployment="${id}"`);
  expect(served).toEqual([]);
});
