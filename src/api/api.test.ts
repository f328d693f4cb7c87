/** Proves the API over real sockets, on a whole server with the memory engine. */
import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { connect } from 'node:net';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../client/client.ts';
import type { Client, ManifestEntry, ProgressEvent } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { startServer } from '../server.ts';
import type { RunningServer } from '../server.ts';
import { systemClock } from '../system/clock.ts';

const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
let folder: string;
let server: RunningServer;
let url: string;
let token: string;
let client: Client;
const reports: (readonly [string, unknown])[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-api-'));
  server = await startServer({
    data: folder,
    listen: '127.0.0.1:0',
    domain: 'localhost',
    engine: 'memory',
    reporter: { report: (_level, event, facts) => void reports.push([event, facts]) },
  });
  url = `http://${server.address}`;
  token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  client = createClient({ url, token, sleep });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const fileEntry = (path: string, text: string): ManifestEntry => ({
  kind: 'file',
  path,
  mode: 0o644,
  bytes: Buffer.byteLength(text),
  sha256: sha256(text),
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Record<string, unknown>;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const isText = typeof body === 'string';
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}

async function deployFolder(project: string, files: Record<string, string>, configuration = {}) {
  const { manifest, missing } = await client.announce(
    Object.entries(files).map(([path, text]) => fileEntry(path, text)),
  );
  for (const text of Object.values(files)) {
    const bytes = new TextEncoder().encode(text);
    if (missing.includes(sha256(text))) await client.sendBlob(sha256(text), bytes, bytes.length);
  }
  return client.deploy({ project, configuration, source: { kind: 'folder', manifest } });
}

async function progressOf(name: string): Promise<readonly ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  for await (const event of client.progress(name)) events.push(event);
  return events;
}

/** GET as a browser would: no resolver here knows names below localhost, so the address is given beside the name. */
function visit(
  address: string,
  host: string,
): Promise<{ status: number; start: unknown; body: string }> {
  const [hostname, port] = address.split(':');
  return new Promise((resolve, reject) => {
    get({ hostname, port, headers: { host }, agent: false }, (response) => {
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

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof BerthError ? error.code : String(error)),
  );

describe('who may ask', () => {
  test('health, openapi.json and pages answer anyone; all else needs the token', async () => {
    const nobody = { authorization: '' };
    expect(await ask('GET', '/api/v1/health', undefined, nobody)).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
    expect((await ask('GET', '/api/v1/openapi.json', undefined, nobody)).body).toMatchObject({
      openapi: '3.1.0',
    });
    expect((await ask('GET', '/', undefined, nobody)).type).toContain('text/html');
    const paths = [
      '/status',
      '/whoami',
      '/slots',
      '/deployments',
      '/deployments/x/logs',
      '/instances',
    ];
    for (const path of paths) {
      for (const authorization of ['', 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`]) {
        const answer = await ask('GET', `/api/v1${path}`, undefined, { authorization });
        expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
        expect(answer.type).toContain('application/problem+json');
      }
    }
    expect(
      await ask('PUT', `/api/v1/blobs/${sha256('x')}`, 'x', {
        ...nobody,
        'content-type': 'application/octet-stream',
      }),
    ).toMatchObject({ status: 401 });
  });

  test('the token file is only ours to read', async () => {
    expect((await stat(join(folder, 'token'))).mode & 0o777).toBe(0o600);
    expect(token).toMatch(/^berth_[0-9a-z]{52}$/);
  });
});

describe('what is wrong with a request', () => {
  test('each mistake has a code, a place and advice', async () => {
    const broken = await ask('POST', '/api/v1/deployments', '{"project":');
    expect(broken).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
    const misshapen = await ask('POST', '/api/v1/deployments', {
      project: 'UPPER',
      source: { kind: 'ftp' },
    });
    expect(misshapen.body).toMatchObject({
      code: 'INVALID_INPUT',
      type: '/docs/errors/INVALID_INPUT',
      advice: expect.stringContaining('problems') as unknown,
      problems: [{ at: 'project' }, { at: 'source.kind' }],
    });
    const configuration = { slot: 'c1-m9999999', limits: { duration: 5 }, colour: 'red' };
    const source = { kind: 'image', reference: 'app:1' };
    const wrong = await ask('POST', '/api/v1/deployments', {
      project: 'hello',
      configuration,
      source,
    });
    expect(wrong.body).toMatchObject({ code: 'CONFIG_INVALID' });
    const places = (wrong.body.problems as { at: string }[]).map(({ at }) => at);
    expect(places).toContain('configuration.limits.duration');
    const large = { project: 'hello', configuration: { slot: 'c1-m9999999' }, source };
    expect((await ask('POST', '/api/v1/deployments', large)).body).toMatchObject({
      code: 'SLOT_UNAVAILABLE',
    });
    expect(await ask('GET', '/api/v1/nothing')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    expect(await ask('GET', '/api/v1/deployments/nobody')).toMatchObject({
      status: 404,
      body: { code: 'DEPLOYMENT_NOT_FOUND' },
    });
    expect(
      await ask('POST', '/api/v1/uploads', `{"manifest":"${'x'.repeat(33 * 1024 * 1024)}"}`),
    ).toMatchObject({ status: 413 });
    expect(await ask('GET', '/api/v1/deployments/x/logs?since=yesterday')).toMatchObject({
      status: 400,
      body: { problems: [{ at: 'since' }] },
    });
  });

  test('a path that leads nowhere because of its form has a code as well', async () => {
    for (const path of [`/api/v1/deployments/${'x'.repeat(3000)}`, '/api/v1/deployments/%zz']) {
      expect(await ask('GET', path)).toMatchObject({
        status: 400,
        type: 'application/problem+json; charset=utf-8',
        body: { code: 'INVALID_INPUT' },
      });
    }
    // As long as the longest branch, in the letters that take the most room.
    const environment = `preview/${'€'.repeat(200)}`;
    const releases = `/api/v1/projects/nosuch/environments/${encodeURIComponent(environment)}/releases`;
    expect(await ask('GET', releases)).toMatchObject({ body: { code: 'PROJECT_NOT_FOUND' } });
  });

  test('a name that would make the path another one is never sent', async () => {
    for (const name of ['', '.', '..']) {
      const refused = { code: 'INVALID_INPUT' };
      await expect(client.deployment(name)).rejects.toMatchObject(refused);
      await expect(client.remove(name)).rejects.toMatchObject(refused);
      await expect(client.removeSecret(name)).rejects.toMatchObject(refused);
      await expect(client.progress(name).next()).rejects.toMatchObject(refused);
      await expect(client.followLogs(name).next()).rejects.toMatchObject(refused);
    }
  });

  test('a manifest that leads out, or is no manifest, is refused with the code that fits', async () => {
    const file = fileEntry('a', 'b');
    const cases: readonly (readonly [string, unknown])[] = [
      ['UPLOAD_PATH', [{ ...file, path: '../x' }]],
      ['UPLOAD_PATH', [{ ...file, path: '/etc/passwd' }]],
      ['UPLOAD_PATH', [{ ...file, path: 'a/./b' }]],
      ['UPLOAD_PATH', [file, { ...file, path: 'a/b' }]],
      ['UPLOAD_PATH', [{ ...file, mode: 0o4755 }]],
      ['UPLOAD_PATH', [file, file]],
      ['UPLOAD_SYMLINK', [{ kind: 'symlink', path: 'l', target: '../../etc' }]],
      ['UPLOAD_SYMLINK', [{ kind: 'symlink', path: 'd/l', target: '/etc' }]],
      ['UPLOAD_TOO_LARGE', [{ ...file, bytes: BOUNDS.uploadFileBytes + 1 }]],
      [
        'UPLOAD_TOO_LARGE',
        Array.from({ length: 5 }, (_, i) => ({
          ...file,
          path: `f${i}`,
          bytes: BOUNDS.uploadFileBytes,
        })),
      ],
      ['INVALID_INPUT', [{ ...file, sha256: 7 }]],
      ['INVALID_INPUT', [{ kind: 'device', path: 'x' }]],
      ['INVALID_INPUT', { length: 1 }],
      ['INVALID_INPUT', undefined],
    ];
    for (const [code, manifest] of cases) {
      const answer = await ask('POST', '/api/v1/uploads', { manifest });
      expect([code, answer.body.code]).toEqual([code, code]);
      expect(answer.body.problems).not.toEqual([]);
    }
  });

  test('a blob that is not what its name says, is too large or is cut short leaves nothing', async () => {
    const type = { 'content-type': 'application/octet-stream' };
    const path = `/api/v1/blobs/${sha256('right')}`;
    expect((await ask('PUT', path, 'wrong', type)).body).toMatchObject({ code: 'UPLOAD_MISMATCH' });
    expect((await ask('PUT', '/api/v1/blobs/..%2f..%2fx', 'x', type)).body).toMatchObject({
      code: 'INVALID_INPUT',
    });
    const { hostname, port } = new URL(url);
    const head = (length: number) =>
      `PUT ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/octet-stream\r\ncontent-length: ${length}\r\n\r\n`;
    const answered = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write(head(BOUNDS.uploadFileBytes + 1)),
      );
      socket.on('data', (chunk: Buffer) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(answered).toContain('HTTP/1.1 413');
    expect(answered.toLowerCase()).toContain('connection: close');
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write(`${head(5)}ri`, () => socket.destroy()),
      );
      socket.on('close', () => resolve());
    });
    await expect.poll(() => readdir(join(folder, 'blobs', 'unfinished'))).toEqual([]);
    expect(await client.announce([fileEntry('right', 'right')])).toMatchObject({
      missing: [sha256('right')],
    });
    expect((await ask('PUT', path, 'right', type)).status).toBe(204);
    expect(await client.announce([fileEntry('right', 'right')])).toMatchObject({ missing: [] });
  });

  test('what nobody foresaw is told without its insides, and logged with them', async () => {
    await rm(join(folder, 'blobs', 'unfinished'), { recursive: true });
    const answer = await ask('POST', '/api/v1/uploads', { manifest: [] });
    expect(answer).toMatchObject({
      status: 500,
      body: { code: 'INTERNAL', detail: 'The work on an upload failed.' },
    });
    expect(reports.findLast(([event]) => event === 'api.failed')?.[1]).toMatchObject({
      request: answer.body.instance,
      error: expect.stringContaining('ENOENT') as unknown,
    });
    await mkdir(join(folder, 'blobs', 'unfinished'));
  });
});

describe('a deployment', () => {
  test('is made, followed, reached, listed, found by many names, and removed', async () => {
    const configuration = { env: { SECRET: 'do-not-tell' }, build: { env: { KEY: 'nor-this' } } };
    const made = await deployFolder(
      'hello',
      { Dockerfile: 'FROM scratch\n', 'a b/ü.txt': 'ü' },
      configuration,
    );
    expect(made).toMatchObject({
      kind: 'started',
      deployment: { project: 'hello', createdBy: 'local' },
    });
    const { id } = made.deployment;
    const events = await progressOf(id);
    expect(events.at(-1)).toMatchObject({ kind: 'end', deployment: { id, state: 'ready' } });
    expect(events.map(({ kind }) => kind)).toContain('line');

    const again = await deployFolder(
      'hello',
      { Dockerfile: 'FROM scratch\n', 'a b/ü.txt': 'ü' },
      configuration,
    );
    expect(again).toMatchObject({ kind: 'ready', deployment: { id } });
    expect(made.deployment.url).toBe(`http://${id}.localhost:${new URL(url).port}`);
    const reached = await visit(server.address, `${id}.localhost`);
    expect(reached).toMatchObject({ status: 200, start: 'thawed' });
    expect(reached.body).toContain(id);

    expect(await client.deployments('hello')).toMatchObject([{ id, state: 'ready' }]);
    expect(await client.deployments('other')).toEqual([]);
    for (const name of [id, 'hello', id.slice(0, -3), made.deployment.url, `${id}.localhost`]) {
      expect(await client.deployment(name)).toMatchObject({
        id,
        instances: [{ deployment: id, inFlight: 0 }],
      });
    }
    expect(await client.instances('hello')).toMatchObject([{ deployment: id }]);
    const everything = JSON.stringify([
      await client.deployments(),
      await client.deployment(id),
      events,
    ]);
    expect(everything).toContain('SECRET');
    expect(everything).not.toMatch(/do-not-tell|nor-this/);
    expect(await client.status()).toMatchObject({
      counts: { deployments: { ready: 1 }, instances: { ready: 1 } },
    });

    const second = (await deployFolder('hello', { Dockerfile: 'FROM scratch\nUSER 1\n' }))
      .deployment;
    await progressOf(second.id);
    expect(await client.deployment('hello')).toMatchObject({ id: second.id });
    expect(await codeOf(client.remove('hello'))).toBe('DEPLOYMENT_AMBIGUOUS');
    await client.remove(second.id);
    await client.remove('hello');
    expect(await client.deployments()).toEqual([]);
    expect(await client.instances()).toEqual([]);
    expect(await codeOf(client.remove(id))).toBe('DEPLOYMENT_NOT_FOUND');
    expect((await visit(server.address, `${id}.localhost`)).status).toBe(404);
  });

  test('twenty deploys of one folder at once are one deployment', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () => deployFolder('twenty', { Dockerfile: 'FROM scratch\n' })),
    );
    expect(new Set(all.map(({ deployment }) => deployment.id)).size).toBe(1);
    expect(await client.deployments('twenty')).toHaveLength(1);
  });

  test('a deploy whose files were not sent is refused with their names', async () => {
    const { manifest, missing } = await client.announce([
      fileEntry('Dockerfile', 'FROM nowhere\n'),
    ]);
    const answer = await ask('POST', '/api/v1/deployments', {
      project: 'lacks',
      source: { kind: 'folder', manifest },
    });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'UPLOAD_INCOMPLETE', problems: [{ at: missing[0] }] },
    });
    expect(await client.deployments('lacks')).toEqual([]);
  });
});

/** The events of a stream until `count` of them came, each as `id name data`. */
async function eventsOf(path: string, lastEventId: string | undefined, count: number) {
  const stop = new AbortController();
  const response = await fetch(`${url}${path}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: stop.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const events: { id: string; name: string; data: string }[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const field = (name: string) =>
        new RegExp(`^${name}: (.*)$`, 'm').exec(text.slice(0, end))?.[1] ?? '';
      if (field('event'))
        events.push({ id: field('id'), name: field('event'), data: field('data') });
      text = text.slice(end + 2);
    }
    if (events.length >= count) break;
  }
  stop.abort();
  return events;
}

describe('a stream that is taken up again', () => {
  test('tells the lines of a deploy that were missed, and no line twice', async () => {
    const { deployment } = await deployFolder('stream', { Dockerfile: 'FROM scratch\n' });
    await progressOf(deployment.id);
    const path = `/api/v1/deployments/${deployment.id}/progress`;
    const all = await eventsOf(path, undefined, 100);
    const lines = all.filter(({ name }) => name === 'line');
    expect(lines.map(({ id }) => id)).toEqual(['1']);
    expect(all.at(-1)?.name).toBe('end');
    const rest = await eventsOf(path, lines.at(-1)?.id, 100);
    // Steps are told again, but they are no further than what was known: their id does not go back.
    expect(rest).toEqual(
      all.filter(({ name }) => name !== 'line').map((event) => ({ ...event, id: '1' })),
    );
    expect(await eventsOf(path, 'not ours', 100)).toEqual(all);
  });

  test('goes on with the log after the line it had, also among lines of one moment', async () => {
    const { deployment } = await deployFolder('stream', { Dockerfile: 'FROM scratch\n' });
    const logs = join(folder, 'logs', deployment.id);
    await mkdir(logs, { recursive: true });
    const times = ['10:00:00.001', '10:00:00.002', '10:00:00.002', '10:00:00.002', '10:00:00.003'];
    const written = times.map(
      (time, index) => `2026-11-21T${time}000000Z stdout F line ${index}\n`,
    );
    await writeFile(join(logs, `${deployment.id}.abcdef.log`), written.join(''));
    const path = `/api/v1/deployments/${deployment.id}/logs`;
    expect(await client.logs(deployment.id, { tail: 2 })).toMatchObject([
      { text: 'line 3' },
      { text: 'line 4' },
    ]);
    const all = await eventsOf(`${path}?follow=true`, undefined, 5);
    expect(all.map(({ data }) => (JSON.parse(data) as { text: string }).text)).toEqual([
      'line 0',
      'line 1',
      'line 2',
      'line 3',
      'line 4',
    ]);
    for (const [index, { id }] of all.slice(0, -1).entries()) {
      const rest = all.slice(index + 1);
      expect(await eventsOf(`${path}?follow=true`, id, rest.length)).toEqual(rest);
    }
  });
});

describe('the rest', () => {
  test('slots say whether they fit, whoami who asks, pages what a code means', async () => {
    const slots = await client.slots();
    expect(slots[0]).toMatchObject({ name: 'c.125-m512', cpus: 0.125, memoryMiB: 512, fits: true });
    expect(await client.whoami()).toMatchObject({ name: 'local' });
    const page = await ask('GET', '/docs/errors/NO_PORT');
    expect(page.body.text).toContain('does not listen on a reachable port');
    expect(await ask('GET', '/docs/errors/toString')).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
  });

  test('the client tells a server that is not there from one that says no', async () => {
    const nobody = createClient({ url: 'http://127.0.0.1:1', token, sleep });
    expect(await codeOf(nobody.status())).toBe('SERVER_NOT_RUNNING');
    expect(await codeOf(nobody.progress('x').next())).toBe('SERVER_NOT_RUNNING');
    const stranger = createClient({ url, token: 'x', sleep });
    expect(await codeOf(stranger.status())).toBe('UNAUTHORIZED');
    expect(await codeOf(stranger.followLogs('x').next())).toBe('UNAUTHORIZED');
  });
});
