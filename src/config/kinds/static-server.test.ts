/** Proves the static server over real sockets: types, conditions, ranges, and no way out of its folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let base: string;
let server: ChildProcess;
let port: number;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'berth-static-'));
  const site = join(base, 'site');
  for (const folder of ['docs', '.berth', '.well-known', 'empty'])
    mkdirSync(join(site, folder), { recursive: true });
  writeFileSync(join(base, 'outside.txt'), 'outside');
  const files = {
    'index.html': '<h1>hi</h1>',
    'docs/index.html': 'docs',
    'a b.txt': 'spaced',
    'data.bin': '0123456789',
    'style.CSS': 'a{}',
    'none.xyz': 'x',
    'nothing.txt': '',
    '.secret': 's',
    '.berth/Dockerfile': 'FROM',
    '.well-known/x.json': '{}',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(site, name), content);
  symlinkSync('../outside.txt', join(site, 'out.txt'));
  symlinkSync('data.bin', join(site, 'in.bin'));
  server = spawn(process.execPath, [join(import.meta.dirname, 'static-server.mjs'), site], {
    env: { PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  port = await new Promise<number>((found, failed) => {
    server.once('exit', () => failed(new Error('the server ended')));
    server.stdout?.on('data', (chunk: Buffer) => {
      const match = /on port (\d+)/.exec(chunk.toString());
      if (match) found(Number(match[1]));
    });
  });
});
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

/** The path exactly as given, which fetch would tidy up first. */
async function raw(path: string, method = 'GET'): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  return text(socket);
}
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers, redirect: 'manual' });

describe('it answers', () => {
  it.each([
    ['/', 200, 'text/html; charset=utf-8', '<h1>hi</h1>'],
    ['/index.html?x=1', 200, 'text/html; charset=utf-8', '<h1>hi</h1>'],
    ['/docs/', 200, 'text/html; charset=utf-8', 'docs'],
    ['/a%20b.txt', 200, 'text/plain; charset=utf-8', 'spaced'],
    ['/style.CSS', 200, 'text/css; charset=utf-8', 'a{}'],
    ['/none.xyz', 200, 'application/octet-stream', 'x'],
    ['/nothing.txt', 200, 'text/plain; charset=utf-8', ''],
    ['/in.bin', 200, 'application/octet-stream', '0123456789'],
    ['/.well-known/x.json', 200, 'application/json; charset=utf-8', '{}'],
    ['/nope', 404, 'text/plain; charset=utf-8', 'There is nothing here\n'],
    ['/empty', 404, 'text/plain; charset=utf-8', 'There is nothing here\n'],
    ['/index.html/', 404, 'text/plain; charset=utf-8', 'There is nothing here\n'],
    ['/%zz', 400, 'text/plain; charset=utf-8', 'This address cannot be read\n'],
  ])('%s with %i', async (path, status, type, body) => {
    const response = await get(path);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      status,
      type,
      body,
    ]);
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
  });

  it('a folder by sending to its slash, on this host', async () => {
    const response = await get('/docs?a=b');
    expect([response.status, response.headers.get('location')]).toEqual([308, '/docs/?a=b']);
    expect(await raw('//docs')).toMatch(/^HTTP\/1\.1 308.*\r\nlocation: \/docs\/\r\n/s);
  });

  it('HEAD without a body, and nothing else', async () => {
    expect(await raw('/', 'HEAD')).toMatch(/^HTTP\/1\.1 200 .*content-length: 11\r\n.*\r\n\r\n$/s);
    expect(await raw('/', 'POST')).toMatch(/^HTTP\/1\.1 405 .*allow: GET, HEAD\r\n/s);
  });

  it('304 to who has it already', async () => {
    const etag = (await get('/data.bin')).headers.get('etag') ?? '';
    expect((await get('/data.bin', { 'if-none-match': `"x", W/${etag}` })).status).toBe(304);
    expect((await get('/data.bin', { 'if-none-match': '"x"' })).status).toBe(200);
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=0-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=10-', 416, 'There is no such range\n', 'bytes */10'],
    ['bytes=0-1,3-4', 200, '0123456789', null],
  ])('range %s with %i', async (header, status, body, contentRange) => {
    const response = await get('/data.bin', { range: header });
    expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual(
      [status, body, contentRange],
    );
  });
});

describe('there is no way', () => {
  it.each([
    '/../outside.txt',
    '/%2e%2e/outside.txt',
    '/docs/../../outside.txt',
    '/..%2foutside.txt',
    '/%2e%2e%2foutside.txt',
    '//../outside.txt',
    '/out.txt',
    '/.secret',
    '/%2esecret',
    '/.berth/Dockerfile',
    '/docs/.well-known',
    '/index.html%00.txt',
    '/.well-known/../.secret',
    '/.',
  ])('out or to what is hidden: %s', async (path) => {
    expect(await raw(path)).toMatch(/^HTTP\/1\.1 404 /);
  });
});

it('ends when it is told to', async () => {
  const other = spawn(process.execPath, [join(import.meta.dirname, 'static-server.mjs'), base], {
    env: { PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((ready) => other.stdout?.once('data', ready));
  const ended = new Promise((end) => other.once('exit', (code) => end(code)));
  other.kill('SIGTERM');
  expect(await ended).toBe(0);
});
