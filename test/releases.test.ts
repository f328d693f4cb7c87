/** Releases on real containers through the command line: nobody notices, whatever is asked and whenever it is killed. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../src/client/client.ts';
import { systemClock } from '../src/system/clock.ts';
import { Berth } from './fixtures/berth.ts';

const root = join(import.meta.dirname, '..');
const PROJECT = 'changing';

/** Says its version, gives back what is posted and sent, and ends on boot when it is told to. */
const SERVER = (version: string) => `
import { createServer } from 'node:http';
import { acceptWebSocket } from './websocket.mjs';
if (process.env.BROKEN) {
  console.error('broken on purpose');
  process.exit(3);
}
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => response.end('${version} ' + (process.env.COLOUR ?? 'plain') + ' ' + body));
});
server.on('upgrade', (request, socket, head) => {
  socket.unshift(head);
  const peer = acceptWebSocket(request, socket, { onText: (text) => peer.send(text), onClose: () => {} });
});
server.listen(process.env.PORT ?? 8080);
process.once('SIGTERM', () => server.close());
`;

let berth: Berth;
let folder: string;
let port: string;

beforeAll(async () => {
  berth = await Berth.up();
  folder = await mkdtemp(join(tmpdir(), 'berth-releases-'));
  await cp(join(root, 'examples/chat'), folder, { recursive: true });
  await writeFile(join(folder, 'berth.json'), JSON.stringify({ name: PROJECT }));
  port = await berth.port();
});

afterAll(async () => {
  for (const environment of ['production', 'staging', 'preview/new-cart']) {
    await berth.run('environments', 'rm', environment, '-n', PROJECT, '--yes').catch(() => '');
  }
  const left = JSON.parse(await berth.run('ls', '--json')) as readonly { id: string }[];
  if (left.length > 0) await berth.run('rm', '--yes', ...left.map(({ id }) => id));
  await berth.close();
  await rm(folder, { recursive: true, force: true });
});

/** Deploys this version of the app; what the command wrote. */
async function deploy(version: string, ...options: readonly string[]): Promise<string> {
  await writeFile(join(folder, 'server.mjs'), SERVER(version));
  return berth.run('deploy', folder, ...options);
}

interface ReleaseJson {
  readonly number: number;
  readonly state: string;
  readonly base: string;
  readonly deployment: string;
  readonly because: string;
}

async function releases(environment = 'production'): Promise<readonly ReleaseJson[]> {
  const text = await berth.run('releases', PROJECT, '--env', environment, '--json');
  return JSON.parse(text) as readonly ReleaseJson[];
}

/** All of it but the URL: every start has another port here. */
const essence = ({ number, state, base, deployment, because }: ReleaseJson) => ({
  number,
  state,
  base,
  deployment,
  because,
});

const hostOf = (environment: string) =>
  `${PROJECT}${environment === 'production' ? '' : `-${environment}`}.localhost`;

interface Asked {
  readonly host: string;
  readonly method?: string;
  readonly body?: string;
  readonly agent?: Agent;
}

async function ask({ host, method = 'GET', body = '', agent }: Asked): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { host: '127.0.0.1', port, method, headers: { host } };
  request({ ...options, ...(agent ? { agent } : { agent: false as const }) }, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    response.on('error', reject);
    response.on('end', () =>
      response.statusCode === 200
        ? resolve(text)
        : reject(new Error(`${response.statusCode}: ${text}`)),
    );
  })
    .on('error', reject)
    .end(body);
  return promise;
}

/** GETs, POSTs of which each comes once and is answered with its own content, and a WebSocket that stays open. */
function load(environment: string) {
  const host = hostOf(environment);
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  const client = async (name: string, method: 'GET' | 'POST') => {
    for (let turn = 0; !isOver; turn += 1) {
      const body = method === 'POST' ? `${name}-${turn}` : '';
      try {
        const text = await ask({ host, method, body, agent });
        if (text.endsWith(` ${body}`)) answered += 1;
        else failures.push(`${method} ${body} was answered ${text}`);
      } catch (error) {
        failures.push(`${method} ${host}: ${String(error)}`);
      }
      await systemClock.sleep(5);
    }
  };
  const clients = [
    client('a', 'GET'),
    client('b', 'GET'),
    client('c', 'POST'),
    client('d', 'POST'),
  ];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host } });
  const opened = new Promise((resolve) => socket.once('open', resolve));
  let echoes = 0;
  socket.on('message', () => {
    echoes += 1;
  });
  socket.on('error', (error) => failures.push(`WebSocket: ${error.message}`));
  socket.on('close', (code) => {
    if (!isOver) failures.push(`WebSocket closed with ${code}`);
  });
  const talk = (async () => {
    await opened;
    let sent = 0;
    while (!isOver) {
      socket.send(`${sent}`);
      sent += 1;
      await systemClock.sleep(100);
    }
    return sent;
  })();
  return {
    opened,
    async stop() {
      isOver = true;
      await Promise.all(clients);
      const sent = await talk;
      await expect.poll(() => echoes, { timeout: 10_000 }).toBe(sent);
      socket.close();
      agent.destroy();
      return { answered, echoes, failures };
    },
  };
}

test('the first deploy with --prod prints the URL of production and answers there', async () => {
  const url = new URL(await deploy('first', '--prod', '--why', 'it begins'));
  expect(url.host).toBe(`${hostOf('production')}:${port}`);
  expect(await ask({ host: url.host })).toBe('first plain ');
  expect(await releases()).toMatchObject([
    { number: 1, state: 'current', because: expect.stringMatching(/^Deploy .*: it begins$/) },
  ]);
});

test('20 deploys, promotions, changes and rollbacks under load: no request fails, no WebSocket closes', {
  timeout: 600_000,
}, async () => {
  await deploy('second', '--prod');
  const own = new URL(await deploy('third'));
  const third = own.hostname.split('.')[0] ?? '';
  await berth.run('promote', third, '--to', 'staging');
  expect(await ask({ host: hostOf('staging') })).toBe('third plain ');

  const running = [load('production'), load('staging')];
  await Promise.all(running.map(({ opened }) => opened));
  const began = systemClock.now();
  const steps: (() => Promise<unknown>)[] = [
    () => berth.run('promote', 'staging', '--name', PROJECT, '--to', 'production'),
    () => berth.run('rollback', PROJECT),
    () => deploy('fourth', '--prod'),
    () => berth.run('env', 'set', 'COLOUR=red', '-n', PROJECT),
    () => berth.run('rollback', PROJECT, '--env', 'production'),
    () => berth.run('promote', `http://${hostOf('production')}:${port}`, '--to', 'staging'),
    () => berth.run('rollback', PROJECT, '--env', 'staging'),
    () => berth.run('scale', PROJECT, 'min=1', 'max=4'),
    () => berth.run('limits', PROJECT, 'maxConcurrentReqs=20', '--env', 'staging'),
    () => deploy('fifth', '--prod'),
  ];
  for (const step of [...steps, ...steps]) await step();
  const elapsed = systemClock.now() - began;
  const results = await Promise.all(running.map((one) => one.stop()));
  const history = [...(await releases()), ...(await releases('staging'))];
  const log = (await readFile(berth.file('serve.log'), 'utf8')).split('\n');
  const made = log
    .filter((line) => line.includes('"release.current"'))
    .map((line) => JSON.parse(line) as { readyMs: number; switchMs: number });
  const middle = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[values.length >> 1];
  console.log(
    `${results.map(({ answered }) => answered).join(' + ')} requests over 20 changes in ${Math.round(elapsed / 1_000)} s; ` +
      `ready after ${middle(made.map(({ readyMs }) => readyMs))} ms, switched in ${middle(made.map(({ switchMs }) => switchMs))} ms (medians)`,
  );
  expect(results.flatMap(({ failures }) => failures)).toStrictEqual([]);
  for (const { answered } of results) expect(answered).toBeGreaterThan(500);
  expect(history.filter(({ state }) => state === 'failed')).toStrictEqual([]);
  expect(await ask({ host: hostOf('production') })).toMatch(/^fifth /);
});

test('a release that crashes on boot takes no request; the command exits 1 with the last lines; the old one serves on', async () => {
  const before = await ask({ host: hostOf('production') });
  const [current] = await releases();
  const running = load('production');
  await running.opened;
  const failing = berth.run('env', 'set', 'BROKEN=1', '-n', PROJECT);
  await expect(failing).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/broken on purpose[^]*error RELEASE_FAILED/),
  });
  expect((await running.stop()).failures).toStrictEqual([]);
  expect(await ask({ host: hostOf('production') })).toBe(before);
  const [failed, still] = await releases();
  expect(failed).toMatchObject({
    state: 'failed',
    because: expect.stringContaining('BOOT_FAILED'),
  });
  expect(still).toMatchObject({ number: current?.number, state: 'current' });
});

test('what an environment runs cannot be removed, and says where it runs', async () => {
  const current = (await releases()).find(({ state }) => state === 'current');
  const removing = berth.run('rm', '--yes', current?.deployment ?? '');
  await expect(removing).rejects.toMatchObject({
    stderr: expect.stringMatching(/DEPLOYMENT_IN_USE[^]*production/),
  });
  const shown = await berth.run('inspect', `http://${hostOf('production')}:${port}/`, '--json');
  expect(JSON.parse(shown)).toMatchObject({
    id: current?.deployment,
    environments: expect.arrayContaining(['production']),
  });
  expect(await berth.run('ls')).toMatch(new RegExp(`${current?.deployment}.*production`));
});

describe('a branch of git', () => {
  test('gets a preview of its own, which moves with it, and waits after a rollback', async () => {
    const git = promisify(execFile);
    await git('git', ['init', '--quiet', '--initial-branch', 'new-cart', folder]);
    const first = await deploy('branch-one');
    const host = hostOf('preview-new-cart');
    expect(await ask({ host })).toBe('branch-one plain ');
    await deploy('branch-two');
    expect(await ask({ host })).toBe('branch-two plain ');
    await berth.run('rollback', PROJECT, '--env', 'preview/new-cart');
    expect(await ask({ host })).toBe('branch-one plain ');
    const third = await deploy('branch-three');
    expect(third).not.toBe(first);
    expect(await ask({ host })).toBe('branch-one plain ');
    await deploy('branch-three', '--branch', 'new-cart');
    expect(await ask({ host })).toBe('branch-three plain ');
    await deploy('branch-four', '--no-branch');
    expect(await ask({ host })).toBe('branch-three plain ');
    await rm(join(folder, '.git'), { recursive: true });
  });
});

test('killed in the middle of promotions, changes and rollbacks: before or after, never between', {
  timeout: 600_000,
}, async () => {
  const token = (await readFile(berth.file('token'), 'utf8')).trim();
  const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  const client = () => createClient({ url: `http://127.0.0.1:${port}`, token, sleep });
  // Each limit of its own boots a deployment of its own, which takes its time; the others are over in 50 ms.
  const change = (duration: number) => () => client().limit(PROJECT, 'production', { duration });
  const rollBack = () => client().rollback(PROJECT, 'production', {});
  const promote = () =>
    client().release(PROJECT, 'production', { from: { environment: 'staging' } });
  const acts: readonly (readonly [killedAfterMs: number, act: () => Promise<unknown>])[] = [
    [2, change(61_000)],
    [30, change(62_000)],
    [0, promote],
    [100, change(63_000)],
    [8, rollBack],
    [300, change(64_000)],
    [20, promote],
    [1_500, change(65_000)],
    [40, rollBack],
    [80, promote],
  ];
  const met = { before: 0, within: 0, after: 0 };
  for (const [killedAfterMs, act] of acts) {
    const history = await client().releases(PROJECT, 'production');
    const before = history.find(({ state }) => state === 'current');
    const asked = act().catch(() => 'cut off');
    await systemClock.sleep(killedAfterMs);
    await berth.kill();
    await asked;
    await berth.up();
    port = await berth.port();
    const after = await client().releases(PROJECT, 'production');
    const current = after.filter(({ state }) => state === 'current');
    expect(current).toHaveLength(1);
    expect(after.filter(({ state }) => state === 'preparing' || state === 'trial')).toStrictEqual(
      [],
    );
    const newest = after[0];
    if (newest?.number === history[0]?.number) {
      met.before += 1;
      expect(after.map(essence)).toStrictEqual(history.map(essence));
    } else if (current[0]?.number === before?.number) {
      met.within += 1;
      expect(newest).toMatchObject({ state: 'failed' });
    } else {
      met.after += 1;
      expect(newest).toMatchObject({ state: 'current' });
    }
    const own = await ask({ host: `${current[0]?.deployment}.localhost` });
    expect(await ask({ host: hostOf('production') })).toBe(own);
    const all = await client().deployments(PROJECT);
    expect(all.filter(({ state }) => state === 'verifying')).toStrictEqual([]);
  }
  console.log(`kills met releases: ${JSON.stringify(met)}`);
  expect(met.within).toBeGreaterThan(0);
});

test('min is kept awake over a restart', async () => {
  await berth.run('scale', PROJECT, 'min=2', 'max=4');
  await berth.kill();
  await berth.up();
  port = await berth.port();
  const current = (await releases()).find(({ state }) => state === 'current');
  const awake = async () => {
    const text = await berth.run('instances', current?.deployment ?? '', '--json');
    const states = (JSON.parse(text) as readonly { readonly state: string }[]).map(
      ({ state }) => state,
    );
    return states.filter((state) => state === 'ready').length;
  };
  await expect.poll(awake, { timeout: 60_000 }).toBe(2);
});
