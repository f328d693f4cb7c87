/** Real clients against a warm deployment on real Podman: what curl, h2load and wrk see of the whole program. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Berth } from './fixtures/berth.ts';
import { isInstalled } from './fixtures/programs.ts';

const execute = promisify(execFile);

let berth: Berth;
let host: string;
let port: string;

beforeAll(async () => {
  berth = await Berth.up();
  // The load runs on the same two cores: what waits there is no error.
  const url = await berth.deploy('hello', { slot: 'c1-m512', limits: { maxConcurrentReqs: 64 } });
  host = url.hostname;
  port = await berth.port();
  expect(await berth.get(url)).toMatchObject({ status: 200 });
});
afterAll(() => berth.close());

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args);
  return stdout;
}

it.runIf(await isInstalled('curl')).each([
  ['HTTP/1.1', '--http1.1', '1.1'],
  ['HTTP/2 by prior knowledge', '--http2-prior-knowledge', '2'],
])('curl gets its page over %s', async (_name, option, version) => {
  const resolve = ['--resolve', `${host}:${port}:127.0.0.1`];
  const told = ['--write-out', '\n%{http_version} %{http_code} %header{x-berth-start}'];
  const page = `http://${host}:${port}/`;
  const seen = await run('curl', '-sS', '--max-time', '30', option, ...resolve, ...told, page);
  expect(seen.split('\n').at(-1)).toMatch(new RegExp(`^${version} 200 (?:warm|thawed)$`));
});

it.runIf(await isInstalled('h2load')).each([
  ['HTTP/2', []],
  ['HTTP/1.1', ['--h1']],
])('h2load meets no error over %s', async (_name, options) => {
  const to = [`--connect-to=127.0.0.1:${port}`, `http://${host}:${port}/`];
  const seen = await run('h2load', '-n', '5000', '-c', '8', '-m', '4', ...options, ...to);
  expect(seen).toContain('5000 succeeded, 0 failed, 0 errored, 0 timeout');
  expect(seen).toContain('status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx');
});

it.runIf(await isInstalled('wrk'))('wrk meets no error', async () => {
  const load = ['-t', '1', '-c', '32', '-d', '5s', '--timeout', '30s', '-H', `Host: ${host}`];
  const seen = await run('wrk', ...load, `http://127.0.0.1:${port}/`);
  expect(seen).toMatch(/[1-9]\d* requests in/);
  expect(seen).not.toMatch(/Non-2xx|Socket errors/);
});
