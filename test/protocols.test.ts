/** The protocols of the router as real clients speak them: curl, h2load and wrk, each in all its ways. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foreignPair } from '../src/tls/fixtures/world.ts';
import { isInstalled } from './fixtures/programs.ts';
import { APP, APP_HOST, startWorld, until, type World } from './fixtures/router-world.ts';

const run = promisify(execFile);

let world: World;
let port: number;
let folder: string;

beforeAll(async () => {
  const { pair, authority } = await foreignPair([APP_HOST]);
  world = await startWorld({ secure: { tls: { cert: pair.certificate, key: pair.key } } });
  const server = world.router.secureServer!;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  folder = await mkdtemp(join(tmpdir(), 'berth-protocols-'));
  await writeFile(join(folder, 'ca.pem'), authority.certificate);
  await world.fleet.serve(APP, (req, res) => {
    if (req.method === 'GET') res.end(`hello over ${String(req.headers['x-forwarded-proto'])}`);
    else req.pipe(res);
  });
});

afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true });
  expect(world.fleet.active).toBe(0);
  expect(world.fleet.ended).toHaveLength(world.fleet.acquired);
});

const plain = () => `http://${APP_HOST}:${world.port}/`;
const secure = () => `https://${APP_HOST}:${port}/`;

describe('a client of HTTP/2', () => {
  it('that goes away within its upload gives its lease back', async () => {
    for (let round = 0; round < 20; round += 1) {
      const session = connect(`http://127.0.0.1:${world.port}`);
      session.on('error', () => {});
      const headers = { ':authority': APP_HOST, ':method': 'POST', 'content-length': '300000' };
      const stream = session.request({ ...headers, ':path': '/' });
      stream.on('error', () => {});
      stream.write(Buffer.alloc(round * 10_000 + 1));
      await once(stream, 'response');
      if (round % 2 === 0) session.destroy();
      else session.socket.destroy();
      await until(() => world.fleet.active === 0);
    }
  });
});

describe.skipIf(!(await isInstalled('curl')))('curl', () => {
  it.each<[string, '1.1' | '2', 'http' | 'https', string[]]>([
    ['HTTP/1.1', '1.1', 'http', ['--http1.1']],
    ['HTTP/2 by prior knowledge', '2', 'http', ['--http2-prior-knowledge']],
    ['HTTP/1.1 with an offer of HTTP/2, which is not taken', '1.1', 'http', ['--http2']],
    ['HTTP/1.1 over TLS', '1.1', 'https', ['--http1.1']],
    ['HTTP/2 over TLS', '2', 'https', ['--http2']],
  ])('speaks %s', async (_name, version, proto, options) => {
    const curl = async (...more: string[]) => {
      const to = proto === 'http' ? plain() : secure();
      const common = ['-sS', '--max-time', '20', '--cacert', join(folder, 'ca.pem')];
      const resolve = [
        '--resolve',
        `${APP_HOST}:${proto === 'http' ? world.port : port}:127.0.0.1`,
      ];
      const { stdout } = await run('curl', [...common, ...resolve, ...options, ...more, to], {
        maxBuffer: 10_000_000,
      });
      return stdout;
    };
    expect(await curl('-w', ' %{http_version} %{http_code}')).toBe(
      `hello over ${proto} ${version} 200`,
    );
    const file = join(folder, 'body');
    await writeFile(file, 'x'.repeat(2_000_000));
    expect((await curl('--data-binary', `@${file}`)).length).toBe(2_000_000);
    expect(await curl('-I')).toMatch(new RegExp(`^HTTP/${version} 200`));
  });
});

describe.skipIf(!(await isInstalled('h2load')))('h2load', () => {
  it.each<[string, string[]]>([
    ['HTTP/2', []],
    ['HTTP/1.1', ['--h1']],
  ])('meets no error over %s', async (_name, options) => {
    const { stdout } = await run('h2load', [
      ...['-n', '3000', '-c', '8', '-m', '10', ...options],
      ...[`--connect-to=127.0.0.1:${world.port}`, plain()],
    ]);
    expect(stdout).toContain('3000 succeeded, 0 failed, 0 errored, 0 timeout');
    expect(stdout).toContain('status codes: 3000 2xx, 0 3xx, 0 4xx, 0 5xx');
  });
});

describe.skipIf(!(await isInstalled('wrk')))('wrk', () => {
  it.each<[string, string[]]>([
    ['connections that are kept', []],
    ['a connection for each request', ['-H', 'Connection: close']],
  ])('meets no error with %s', async (_name, options) => {
    const { stdout } = await run('wrk', [
      ...['-t', '1', '-c', '16', '-d', '1s', '-H', `Host: ${APP_HOST}`, ...options],
      `http://127.0.0.1:${world.port}/`,
    ]);
    expect(stdout).toMatch(/[1-9]\d* requests in/);
    expect(stdout).not.toMatch(/Non-2xx|Socket errors/);
  });
});
