/** Ten thousand sleeping deployments with releases: everything people ask for answers, and nobody's request waits for a list. */
import { request } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../src/client/client.ts';
import { DEFAULT_LIMITS } from '../src/core/limits.ts';
import type { Deployment } from '../src/core/model.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { openSqliteStore } from '../src/stores/sqlite/open.ts';
import { systemClock } from '../src/system/clock.ts';
import { addSleepers, type Sleeper } from './fixtures/sleepers.ts';

const MANY = 10_000;
/** Requests one after the other while the list comes: hundreds, and a handful when it is written in one go. */
const SERVED_MEANWHILE = 50;

const TEMPLATE: Deployment = {
  id: 'template',
  project: 'template',
  source: { kind: 'image', reference: 'docker.io/library/node:24-slim' },
  state: 'ready',
  image: { id: `sha256:${'a'.repeat(64)}`, bytes: 267e6, layers: [], exposedPorts: [] },
  configuration: {
    slot: { cpus: 0.125, memoryMiB: 512 },
    limits: DEFAULT_LIMITS,
    scale: { min: 0, max: 10 },
    idle: 'freeze',
    env: {},
    buildEnv: {},
  },
  createdAt: 1_795_000_000_000,
  createdBy: 'local',
  readyAt: 1_795_000_000_500,
};

let folder: string;
let server: RunningServer;
let client: Client;
let token: string;
let sleepers: readonly Sleeper[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-many-'));
  const file = join(folder, 'berth.db');
  const store = await openSqliteStore(file);
  await store.close();
  sleepers = await addSleepers(file, TEMPLATE, MANY);
  server = await startServer({
    data: folder,
    listen: '127.0.0.1:0',
    domain: 'localhost',
    engine: 'memory',
    reporter: { report: () => {} },
  });
  token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  client = createClient({
    url: `http://${server.address}`,
    token,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  });
});

afterAll(async () => {
  await server.close({ removeInstances: true });
  await rm(folder, { recursive: true, force: true });
});

/** The status and who answered. */
async function visit(host: string) {
  const [hostname, port] = server.address.split(':');
  const answer = Promise.withResolvers<{ status: number | undefined; body: string }>();
  request({ hostname, port, headers: { host }, agent: false }, (response) => {
    void text(response).then((body) => answer.resolve({ status: response.statusCode, body }));
  })
    .on('error', answer.reject)
    .end();
  return answer.promise;
}

const sleeperAt = (index: number): Sleeper => {
  const found = sleepers[index];
  if (!found) throw new Error(`there is no sleeper ${index}`);
  return found;
};

describe(`${MANY} sleeping deployments`, () => {
  test('are all listed, each once, with the environment that runs it', async () => {
    const listed = await client.deployments();
    expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(sleepers.map(({ id }) => id)));
    const { id, environment } = sleeperAt(7_001);
    expect(listed.find((one) => one.id === id)?.environments).toEqual([environment]);
    expect(listed.length).toBe(MANY);
  });

  test('have their releases, and answer for what is said of one', async () => {
    const { id, project, environment } = sleeperAt(5_002);
    const releases = await client.releases(project, environment);
    expect(releases.map(({ number, state }) => [number, state])).toEqual([
      [2, 'current'],
      [1, 'superseded'],
    ]);
    const inspected = await client.deployment(id);
    expect(inspected.because).toBe('nothing was asked of it yet');
    expect(inspected.instances).toEqual([]);
    expect((await client.deployments(project)).length).toBe(4);
  });

  test('wake one by one, by their own name and by that of their environment', async () => {
    const { id } = sleeperAt(9_999);
    const { project, id: inProduction } = sleeperAt(4_000);
    expect((await visit(`${id}.localhost`)).body).toContain(id);
    expect((await visit(`${project}.localhost`)).body).toContain(inProduction);
    expect((await visit('nobody.localhost')).status).toBe(404);
    const awake = (await client.instances()).map(({ deployment }) => deployment);
    expect(awake.toSorted()).toEqual([id, inProduction].toSorted());
  });

  test('are listed while requests are served in between', async () => {
    const { id } = sleeperAt(1);
    await visit(`${id}.localhost`);
    const list = await fetch(`http://${server.address}/api/v1/deployments`, {
      headers: { authorization: `Bearer ${token}` },
    });
    // Written in one go it would be on its way now, with the thread held up before its first byte.
    const whole = list.text();
    const over = new AbortController();
    void whole.finally(() => over.abort());
    let served = 0;
    while (!over.signal.aborted) {
      expect((await visit(`${id}.localhost`)).status).toBe(200);
      served += 1;
    }
    expect((JSON.parse(await whole) as readonly unknown[]).length).toBe(MANY);
    expect(served).toBeGreaterThan(SERVED_MEANWHILE);
  });
});
