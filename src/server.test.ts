/** Proves how a server begins and ends: one per data folder, all or nothing, and streams that end with it. */
import { fork } from 'node:child_process';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { access, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from './client/client.ts';
import { BerthError } from './core/errors.ts';
import { startServer } from './server.ts';
import type { RunningServer, ServerOptions } from './server.ts';
import { systemClock } from './system/clock.ts';

let folder: string;
const servers: RunningServer[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-server-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    data: join(folder, 'data'),
    listen: '127.0.0.1:0',
    domain: 'localhost',
    engine: 'memory',
    reporter: { report: () => {} },
    ...options,
  });
  servers.push(server);
  return server;
}

async function clientOf(server: RunningServer, data = join(folder, 'data')) {
  const token = (await readFile(join(data, 'token'), 'utf8')).trim();
  const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  return createClient({ url: `http://${server.address}`, token, sleep });
}

/** GET as a browser would: no resolver here knows names below localhost, so the address is given beside the name. */
function visit(
  address: string,
  host: string,
  path = '/',
): Promise<{ status: number; start: unknown; body: string }> {
  const [hostname, port] = address.split(':');
  return new Promise((resolve, reject) => {
    get({ hostname, port, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          start: response.headers['x-berth-start'],
          body,
        }),
      );
    }).on('error', reject);
  });
}

const refusal = (promise: Promise<unknown>): Promise<{ code?: string; detail?: string }> =>
  promise.then(
    () => ({}),
    (error: unknown) => (error instanceof BerthError ? error : { detail: String(error) }),
  );

test('a data folder has one server, by whatever path, and is free again when that has ended', async () => {
  const first = await start();
  await symlink(join(folder, 'data'), join(folder, 'alias'));
  for (const data of [join(folder, 'data'), join(folder, 'alias')]) {
    const { code, detail } = await refusal(start({ data }));
    expect(code).toBe('SERVER_RUNNING');
    expect(detail).toContain(`Process ${process.pid}`);
  }
  const note = JSON.parse(await readFile(join(folder, 'data', 'server.json'), 'utf8')) as unknown;
  expect(note).toEqual({
    pid: process.pid,
    listen: first.address,
    version: expect.any(String) as unknown,
  });
  const token = await readFile(join(folder, 'data', 'token'), 'utf8');
  await first.close();
  await expect(access(join(folder, 'data', 'server.json'))).rejects.toThrow('ENOENT');
  await start();
  expect(await readFile(join(folder, 'data', 'token'), 'utf8')).toBe(token);
});

test('a killed server leaves nothing that keeps the next one out', async () => {
  const data = join(folder, 'data');
  const script = join(folder, 'serve.ts');
  await writeFile(
    script,
    `import { startServer } from ${JSON.stringify(join(import.meta.dirname, 'server.ts'))};
     await startServer({ data: ${JSON.stringify(data)}, listen: '127.0.0.1:0', domain: 'localhost', engine: 'memory', reporter: { report: () => {} } });
     process.send('up');`,
  );
  const child = fork(script, { execArgv: [] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.once('message', resolve));
  expect((await refusal(start())).detail).toContain(`Process ${child.pid}`);
  child.kill('SIGKILL');
  await ended;
  const server = await start();
  expect((await (await clientOf(server)).status()).pid).toBe(process.pid);
});

test('a taken address or an unusable folder is said by its code, and nothing stays behind', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  expect(await refusal(start({ listen: `127.0.0.1:${port}` }))).toMatchObject({
    code: 'ADDRESS_IN_USE',
  });
  expect(await refusal(start({ listen: '192.0.2.1:0' }))).toMatchObject({ code: 'USAGE' });
  expect(await refusal(start({ listen: 'nonsense' }))).toMatchObject({ code: 'USAGE' });
  await new Promise((resolve) => other.close(resolve));
  await start({ listen: `127.0.0.1:${port}` });

  await writeFile(join(folder, 'file'), '');
  expect(await refusal(start({ data: join(folder, 'file') }))).toMatchObject({
    code: 'DATA_FOLDER',
  });
});

test('what was deployed is there after a restart, under the same URL', async () => {
  const first = await start();
  const source = { kind: 'image', reference: 'app:1' } as const;
  const { deployment } = await (await clientOf(first)).deploy({ project: 'hello', source });
  for await (const event of (await clientOf(first)).progress(deployment.id))
    expect(event).toBeDefined();
  await first.close();
  const second = await start();
  const client = await clientOf(second);
  expect(await client.deployment('hello')).toMatchObject({ id: deployment.id, state: 'ready' });
  const told = [];
  for await (const event of client.progress(deployment.id))
    told.push(event.kind === 'step' ? `${event.name} ${event.state}` : event.kind);
  expect(told).toEqual(['image done', 'boot done', 'end']);
  const answer = await visit(second.address, `${deployment.id}.localhost`);
  expect(answer).toMatchObject({ status: 200, start: 'cold' });
  expect(answer.body).toContain(deployment.id);
});

test('streams end with the server instead of holding it, and a follower finds the next one', async () => {
  const first = await start();
  const client = await clientOf(first);
  const { deployment } = await client.deploy({
    project: 'hello',
    source: { kind: 'image', reference: 'app:1' },
  });
  for await (const event of client.progress(deployment.id)) expect(event).toBeDefined();
  const stop = new AbortController();
  const lines = client.followLogs(deployment.id, {}, stop.signal);
  const next = lines.next();
  await expect
    .poll(async () => (await client.status()).counts.deployments)
    .toMatchObject({ ready: 1 });
  const began = systemClock.now();
  await first.close();
  expect(systemClock.now() - began).toBeLessThan(5_000);
  await start({ listen: first.address });
  stop.abort();
  expect(await next).toMatchObject({ done: true });
});

test('bounds of traffic are what the operator says', async () => {
  const server = await start({ trafficBounds: { urlBytes: 300 } });
  const client = await clientOf(server);
  const source = { kind: 'image', reference: 'app:1' } as const;
  const { deployment } = await client.deploy({ project: 'hello', source });
  for await (const event of client.progress(deployment.id)) expect(event).toBeDefined();
  const host = `${deployment.id}.localhost`;
  expect((await visit(server.address, host, `/${'a'.repeat(290)}`)).status).not.toBe(414);
  expect((await visit(server.address, host, `/${'a'.repeat(300)}`)).status).toBe(414);
});
