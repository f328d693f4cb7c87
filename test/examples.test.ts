/** Every example, deployed with the command line on real containers, does what its line in the README says. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

const root = join(import.meta.dirname, '..');
const deployed: string[] = [];
let folder: string;
let ledger: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examples-'));
  await succeed('up', '--listen', '127.0.0.1:0');
});

afterAll(async () => {
  if (deployed.length > 0) await berth('rm', '--yes', ...deployed);
  await berth('down', '--instances');
  await removeStages();
  await rm(folder, { recursive: true });
});

/**
 * The stages of a build stay behind as its layer cache when their deployment goes: fine on a server, a leftover of a
 * test. They carry the label of this server's ledger.
 */
async function removeStages(): Promise<void> {
  if (ledger === undefined) return;
  const filter = `label=berth.ledger=${ledger}`;
  // Children first: what is still a parent of another one cannot go.
  for (;;) {
    const ids = await podman('images', '--quiet', '--filter', filter);
    if (ids === '') return;
    await podman('rmi', '--force', ...ids.split('\n'));
  }
}

async function podman(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('podman', [...args]);
  return stdout.trim();
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program to its end, without a terminal. */
function berth(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'src/main.ts'), '--data', join(folder, 'data'), ...args],
      { cwd: root },
      (error, out, err) => {
        const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
        resolve({ code, out, err });
      },
    );
  });
}

async function succeed(...args: readonly string[]): Promise<string> {
  const ran = await berth(...args);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  return ran.out.trim();
}

/** Deploys an example; its URL. */
async function deploy(name: string, ...options: readonly string[]): Promise<URL> {
  const url = new URL(await succeed('deploy', join('examples', name), ...options));
  deployed.push(url.host);
  return url;
}

/** Deploys an example that cannot work; what was said. It stays as a failed deployment. */
async function deployInVain(name: string): Promise<string> {
  const ran = await berth('deploy', join('examples', name));
  expect(ran.code).toBe(1);
  expect(ran.out).toBe('');
  const list = JSON.parse(await succeed('ls', name, '--json')) as readonly { id: string }[];
  deployed.push(...list.map(({ id }) => id));
  return ran.err;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A request on a connection of its own; the names of the deployments need not be known to any name server. */
async function get(url: URL, path = '/', method = 'GET'): Promise<Answer> {
  const asked = request({
    host: '127.0.0.1',
    port: url.port,
    path,
    method,
    agent: false,
    headers: { host: url.host, accept: '*/*' },
  }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await text(response),
  };
}

test('hello listens on a port that nobody was told, and was frozen by its deploy', async () => {
  const url = await deploy('hello');
  const first = await get(url);
  expect(first).toMatchObject({ status: 200, body: 'Hello from Berth\n' });
  expect(first.headers['x-berth-start']).toBe('thawed');
  expect((await get(url)).headers['x-berth-start']).toBe('warm');
  expect(await succeed('deploy', 'examples/hello')).toBe(url.href.replace(/\/$/, ''));
});

test('chat tells everyone what anyone writes', async () => {
  const url = await deploy('chat');
  expect((await get(url)).body).toContain('<h1>Chat</h1>');

  const come = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${url.port}/`, { headers: { host: url.host } });
    await once(socket, 'open');
    return socket;
  };
  const writer = await come();
  const reader = await come();
  const heard = new Promise<string>((resolve) => {
    reader.on('message', (data: Buffer) => {
      const said = data.toString();
      if (!said.startsWith('(')) resolve(said);
    });
  });
  writer.send('Hello, ü!');
  expect(await heard).toBe('Hello, ü!');
  for (const socket of [writer, reader]) {
    socket.close();
    await once(socket, 'close');
  }
});

test('events come one by one', async () => {
  const url = await deploy('events');
  const { headers, body } = await get(url, '/events?count=2');
  expect(headers['content-type']).toBe('text/event-stream');
  expect(body.match(/^id: .*$/gm)).toEqual(['id: 1', 'id: 2']);
});

test('static is recognised without a Dockerfile', async () => {
  const url = await deploy('static');
  expect(await get(url)).toMatchObject({
    status: 200,
    body: expect.stringContaining('<h1>A static site</h1>') as string,
  });
  expect((await get(url, '/style.css')).headers['content-type']).toMatch(/^text\/css/);
  expect((await get(url, '/nothing')).status).toBe(404);
});

test('python answers', async () => {
  const url = await deploy('python');
  expect(JSON.parse((await get(url)).body)).toMatchObject({ hello: 'from Berth' });
});

test('scratch is less than 1 MiB in all', async () => {
  const url = await deploy('scratch');
  expect((await get(url)).body).toBe('Hello from scratch\n');
  const about = JSON.parse(await succeed('inspect', url.host, '--json')) as {
    image: { id: string; bytes: number };
  };
  ledger = await podman(
    ...['inspect', '--format', '{{index .Config.Labels "berth.ledger"}}'],
    about.image.id,
  );
  expect(about.image.bytes).toBeLessThan(1024 * 1024);
});

test('crash says what it wrote and with which code it ended, and works once it is configured', async () => {
  const said = await deployInVain('crash');
  expect(said).toContain('BOOT_FAILED');
  expect(said).toContain('DATABASE_URL is not set');
  expect(said).toMatch(/exit code 1\b|code 1\b/);
  const url = await deploy('crash', '--env', 'DATABASE_URL=anything');
  expect((await get(url)).body).toBe('Configured\n');
});

test('loopback is told where it has to listen', async () => {
  const said = await deployInVain('loopback');
  expect(said).toContain('NO_PORT');
  expect(said).toMatch(/127\.0\.0\.1|loopback/);
});

test('leak is ended for its memory, and the next request is served again', async () => {
  const url = await deploy('leak');
  expect((await get(url)).body).toMatch(/MiB in use/);
  const ended = await get(url, '/leak', 'POST');
  expect(ended.status).toBe(502);
  expect(ended.body).toMatch(/OUT_OF_MEMORY|INSTANCE_DIED/);
  expect(await get(url)).toMatchObject({ status: 200 });
});

test('there is a test for every example', async () => {
  const folders = await readdir(join(root, 'examples'), { withFileTypes: true });
  const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  // That of the stack is in test/stacks.test.ts.
  const tested = 'hello chat events static python scratch crash loopback leak stack'.split(' ');
  expect(names.sort()).toEqual(tested.sort());
});
