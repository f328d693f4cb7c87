/** The main job on the real Podman: a folder becomes a URL, failures are named, and nothing is lost when the server is killed. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createClient } from '../src/client/client.ts';
import type { Client, Deployment, ProgressEvent } from '../src/client/client.ts';
import { systemClock } from '../src/system/clock.ts';
import { systemRandom } from '../src/system/random.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..');
/** Made by `script/base-images` where no registry can be reached. */
const BASE = 'docker.io/library/node:24-slim';

let folder: string;
let server: Server;
/** What Berth calls itself on this host: the label of all that it makes. */
let ledger: string | undefined;

interface Server {
  readonly address: string;
  readonly client: Client;
  readonly process: ChildProcess;
  /** Resolves when the process has gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** `berth serve` as a process, so that it can be killed. */
async function serve(): Promise<Server> {
  const data = join(folder, 'data');
  const args = [join(root, 'src/main.ts'), 'serve', '--data', data, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: folder,
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let log = '';
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const listen = /"event":"server.started","listen":"([^"]+)"/.exec(log)?.[1];
      if (listen) resolve(listen);
    });
    child.once('exit', (code) => reject(new Error(`berth serve ended with ${code}: ${log}`)));
  });
  const token = (await readFile(join(data, 'token'), 'utf8')).trim();
  const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  return {
    address,
    client: createClient({ url: `http://${address}`, token, sleep }),
    process: child,
    async end(signal) {
      child.kill(signal);
      await gone;
    },
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-deploy-'));
  server = await serve();
});

afterEach(async () => {
  for (const { id } of await server.client.deployments()) await server.client.remove(id);
});

afterAll(async () => {
  await server.end('SIGTERM');
  if (ledger !== undefined) {
    // Layers that failed and changed builds left for the cache.
    const mine = ['images', '--all', '--quiet', '--filter', `label=berth.ledger=${ledger}`];
    for (let ids = await podman(...mine); ids.length > 0; ids = await podman(...mine)) {
      await podman('rmi', '--force', ...new Set(ids));
    }
  }
  await rm(folder, { recursive: true, force: true });
});

async function podman(...args: string[]): Promise<readonly string[]> {
  const { stdout } = await execute('podman', args);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Containers, finished images and networks that carry our label. */
async function everythingOurs(): Promise<readonly string[]> {
  const label = `label=berth.ledger=${ledger ?? 'none'}`;
  return [
    ...(await podman('ps', '--all', '--filter', label, '--format', '{{.Names}}')),
    ...(await podman('network', 'ls', '--filter', label, '--format', '{{.Name}}')),
  ];
}

/** What Buildah keeps of a build while it runs; others on this machine build too. */
async function workingContainers(id: string): Promise<readonly string[]> {
  const [graphRoot = ''] = await podman('info', '--format', '{{.Store.GraphRoot}}');
  const stores = (await readdir(graphRoot)).filter((name) => name.endsWith('-containers'));
  const found: string[] = [];
  for (const store of stores) {
    for (const container of await readdir(join(graphRoot, store))) {
      const file = join(graphRoot, store, container, 'userdata', 'buildah.json');
      if ((await readFile(file, 'utf8').catch(() => '')).includes(id)) found.push(container);
    }
  }
  return found;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const HELLO = `
const { createServer } = require('node:http');
createServer((request, response) => response.end('hello from ' + process.env.WHO)).listen(0);
process.on('SIGTERM', () => process.exit());
`;

interface Order {
  readonly project?: string;
  readonly configuration?: Parameters<Client['deploy']>[0]['configuration'];
}

async function upload(files: Readonly<Record<string, string>>): Promise<string> {
  const { manifest, missing } = await server.client.announce(
    Object.entries(files).map(([path, text]) => ({
      kind: 'file',
      path,
      mode: 0o644,
      bytes: Buffer.byteLength(text),
      sha256: sha256(text),
    })),
  );
  for (const text of Object.values(files)) {
    const bytes = new TextEncoder().encode(text);
    if (missing.includes(sha256(text))) {
      await server.client.sendBlob(sha256(text), bytes, bytes.length);
    }
  }
  return manifest;
}

async function deploy(dockerfile: string, app = HELLO, order: Order = {}) {
  const manifest = await upload({ Dockerfile: dockerfile, 'app.cjs': app });
  const { project = 'hello', configuration = {} } = order;
  return server.client.deploy({ project, configuration, source: { kind: 'folder', manifest } });
}

interface Told {
  readonly deployment: Deployment;
  readonly lines: readonly string[];
  readonly steps: readonly string[];
}

/** Follows a deploy to its end. */
async function follow(id: string): Promise<Told> {
  const lines: string[] = [];
  const steps: string[] = [];
  let end: Extract<ProgressEvent, { kind: 'end' }> | undefined;
  for await (const event of server.client.progress(id)) {
    if (event.kind === 'line') lines.push(event.text);
    else if (event.kind === 'step') steps.push(`${event.name} ${event.state}`);
    else end = event;
  }
  if (!end) throw new Error('the stream ended without an end');
  if (ledger === undefined && end.deployment.image) {
    const format = '{{index .Labels "berth.ledger"}}';
    [ledger] = await podman('image', 'inspect', end.deployment.image.id, '--format', format);
  }
  return { deployment: end.deployment, lines, steps };
}

/** GET as a browser would: no resolver here knows names below localhost, so the address is given beside the name. */
function visit(id: string): Promise<{ status: number; start: unknown; body: string }> {
  const [hostname, port] = server.address.split(':');
  return new Promise((resolve, reject) => {
    get({ hostname, port, headers: { host: `${id}.localhost` }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => {
        const start = response.headers['x-berth-start'];
        resolve({ status: response.statusCode ?? 0, start, body });
      });
    }).on('error', reject);
  });
}

const dockerfile = (...lines: string[]) =>
  [`FROM ${BASE}`, ...lines, 'COPY app.cjs /app.cjs', 'CMD ["node", "/app.cjs"]', ''].join('\n');

test('a folder becomes a URL that wakes from zero, is the same when deployed again, and goes without a trace', async () => {
  const configuration = { env: { WHO: 'Berth' } };
  const { kind, deployment } = await deploy(dockerfile(), HELLO, { configuration });
  expect(kind).toBe('started');
  const told = await follow(deployment.id);
  expect(told.deployment).toMatchObject({
    state: 'ready',
    image: { id: expect.stringMatching(/^sha256:/) as unknown },
  });
  expect(told.steps).toEqual([
    'files done',
    'build running',
    'build done',
    'image done',
    'boot running',
    'boot done',
  ]);
  expect(told.lines.join('\n')).toContain('COPY app.cjs');
  expect(await server.client.instances()).toMatchObject([{ state: 'frozen' }]);

  expect(await visit(deployment.id)).toEqual({
    status: 200,
    start: 'thawed',
    body: 'hello from Berth',
  });
  expect(await visit(deployment.id)).toMatchObject({ status: 200, start: 'warm' });

  const began = systemClock.now();
  const again = await deploy(dockerfile(), HELLO, { configuration });
  expect(again).toMatchObject({ kind: 'ready', deployment: { id: deployment.id } });
  expect(systemClock.now() - began).toBeLessThan(1_000);

  const other = await deploy(dockerfile(), HELLO, { configuration: { env: { WHO: 'another' } } });
  expect((await follow(other.deployment.id)).deployment.image?.id).toBe(told.deployment.image?.id);
  expect(await visit(other.deployment.id)).toMatchObject({ body: 'hello from another' });

  await server.client.remove(deployment.id);
  expect(await visit(other.deployment.id)).toMatchObject({ status: 200 });
  expect((await visit(deployment.id)).status).toBe(404);
  await server.client.remove(other.deployment.id);
  expect(await everythingOurs()).toEqual([]);
  expect(await readdir(join(folder, 'data', 'builds'))).toEqual([]);
  expect(await readdir(join(folder, 'data', 'logs'))).toEqual([]);
});

test('a failing RUN fails the deploy with its lines, leaves nothing half-made, and can be tried again', async () => {
  const failing = dockerfile('RUN echo before && echo "it broke here" >&2 && exit 7');
  const { id } = (await deploy(failing)).deployment;
  const told = await follow(id);
  expect(told.deployment).toMatchObject({ state: 'failed', failure: { code: 'BUILD_FAILED' } });
  expect(told.lines).toContain('it broke here');
  expect(told.steps.at(-1)).toBe('build failed');
  expect(await everythingOurs()).toEqual([]);
  expect(await readdir(join(folder, 'data', 'builds', id))).not.toContain('context');
  expect((await visit(id)).status).toBe(503);
  // Told again in full to whoever comes later.
  expect((await follow(id)).lines).toEqual(told.lines);
  expect(await deploy(failing)).toMatchObject({ kind: 'started', deployment: { id } });
  expect((await follow(id)).deployment.state).toBe('failed');
});

test('a missing base image, a broken Dockerfile and a heredoc are each told by their code', async () => {
  const missing = await deploy('FROM localhost/berth-no-such-image:1\n');
  expect((await follow(missing.deployment.id)).deployment.failure?.code).toBe('IMAGE_NOT_FOUND');
  const broken = await deploy('FROM scratch\nRUNN x\n');
  expect((await follow(broken.deployment.id)).deployment.failure?.code).toBe('DOCKERFILE_INVALID');
  const heredoc = deploy(`FROM ${BASE}\nRUN <<EOF\necho\nEOF\n`);
  await expect(heredoc).rejects.toMatchObject({ code: 'DOCKERFILE_UNSUPPORTED' });
  await expect(
    deploy('', '', { configuration: { build: { dockerfile: 'other' } } }),
  ).rejects.toMatchObject({
    code: 'NO_DOCKERFILE',
  });
  const image = server.client.deploy({
    project: 'hello',
    source: { kind: 'image', reference: 'localhost/berth-no-such-image:1' },
  });
  await expect(image).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});

test('an app that ends or that listens on loopback only fails the deploy by name', async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['BOOT_FAILED', "console.error('no database'); process.exit(3)", /no database/],
    ['NO_PORT', "require('http').createServer().listen(8080, '127.0.0.1')", /(?:)/],
  ];
  for (const [code, app, line] of cases) {
    const { id } = (await deploy(dockerfile(), app)).deployment;
    const told = await follow(id);
    expect(told.deployment).toMatchObject({ state: 'failed', failure: { code } });
    expect(told.lines.join('\n')).toMatch(line);
    expect(told.steps.at(-1)).toBe('boot failed');
    expect(await server.client.instances(id)).toEqual([]);
  }
});

test('an existing image is deployed without a build, and stays when its deployment goes', async () => {
  const { kind, deployment } = await server.client.deploy({
    project: 'image',
    source: { kind: 'image', reference: BASE },
    configuration: { command: ['node', '-e', HELLO], env: { WHO: 'an image' } },
  });
  expect(kind).toBe('started');
  const format = '{{.Id}}';
  const [id] = await podman('image', 'inspect', BASE, '--format', format);
  expect((await follow(deployment.id)).deployment).toMatchObject({
    state: 'ready',
    image: { id: `sha256:${id}` },
  });
  expect(await visit(deployment.id)).toMatchObject({
    start: 'thawed',
    body: 'hello from an image',
  });
  await server.client.remove(deployment.id);
  expect(await podman('image', 'inspect', BASE, '--format', format)).toEqual([id]);
});

test('a server killed in mid-build goes on with it after its restart', async () => {
  // Only this run's: a cached step would be over before the kill.
  const marker = systemRandom.id(12);
  const slow = dockerfile(`RUN echo "begun ${marker}" && sleep 4 && echo "done ${marker}"`);
  const { id } = (await deploy(slow)).deployment;
  const stop = new AbortController();
  for await (const event of server.client.progress(id, stop.signal)) {
    if (event.kind === 'line' && event.text === `begun ${marker}`) break;
  }
  await server.end('SIGKILL');
  server = await serve();
  expect((await server.client.deployment(id)).state).toBe('building');
  const told = await follow(id);
  expect(told.deployment.state).toBe('ready');
  expect(told.lines).toContain(`begun ${marker}`);
  expect(told.lines).toContain(`done ${marker}`);
  expect(await visit(id)).toMatchObject({ status: 200 });
});

test('a server killed together with its build begins it again, and nothing half-made stays', async () => {
  const marker = systemRandom.id(12);
  const slow = dockerfile(`RUN echo "begun ${marker}" && sleep 4`);
  const { id } = (await deploy(slow)).deployment;
  for await (const event of server.client.progress(id)) {
    if (event.kind === 'line' && event.text === `begun ${marker}`) break;
  }
  const shell = (
    await readFile(join(folder, 'data', 'builds', id, 'podman', 'process'), 'utf8')
  ).split(' ')[0];
  await server.end('SIGKILL');
  process.kill(-Number(shell), 'SIGKILL');
  server = await serve();
  const told = await follow(id);
  expect(told.deployment.state).toBe('ready');
  await server.client.remove(id);
  expect(await everythingOurs()).toEqual([]);
  expect(await workingContainers(id)).toEqual([]);
});

test('removing in mid-build ends it and leaves nothing', async () => {
  const marker = systemRandom.id(12);
  const { id } = (await deploy(dockerfile(`RUN echo "begun ${marker}" && sleep 60`))).deployment;
  let isRemoved: Promise<void> | undefined;
  const events: ProgressEvent[] = [];
  for await (const event of server.client.progress(id)) {
    events.push(event);
    if (event.kind === 'line' && event.text === `begun ${marker}`) {
      expect(await workingContainers(id)).toHaveLength(1);
      isRemoved = server.client.remove(id);
    }
  }
  await isRemoved;
  expect(events.at(-1)).toMatchObject({ kind: 'end', deployment: { state: 'failed' } });
  expect(await server.client.deployments()).toEqual([]);
  expect(await workingContainers(id)).toEqual([]);
  expect(await everythingOurs()).toEqual([]);
});

test('a killed server finds its instances again, and a plain stop is quick and leaves them', async () => {
  const { id } = (await deploy(dockerfile())).deployment;
  await follow(id);
  expect(await visit(id)).toMatchObject({ start: 'thawed' });
  const [before] = await server.client.instances(id);
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const began = systemClock.now();
    await server.end(signal);
    expect(systemClock.now() - began).toBeLessThan(10_000);
    expect(await everythingOurs()).toHaveLength(2);
    server = await serve();
    expect(await server.client.instances(id)).toMatchObject([{ id: before?.id }]);
    expect(await visit(id)).toMatchObject({
      status: 200,
      start: expect.stringMatching(/warm|thawed/) as unknown,
    });
  }
});
