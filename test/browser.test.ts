/** Chromium as a client of the real program over TLS: what a page does, and what people see when nothing is there. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Berth } from './fixtures/berth.ts';
import { freePorts } from './fixtures/pebble.ts';

const run = promisify(execFile);

/** Debian's names; script/test installs the smallest of them. */
const NAMES = ['chromium-headless-shell', 'chromium', 'google-chrome'];

async function find(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await run('sh', ['-c', `command -v ${name}`]).catch(() => undefined);
    if (found) return found.stdout.trim();
  }
  return undefined;
}

const browser = await find(NAMES);
/** Chromium reads whom a user trusts from a database of NSS. */
const certutil = await find(['certutil']);
const isReady = browser !== undefined && certutil !== undefined;
if (!isReady) console.log(`Skipped: needs certutil and one of ${NAMES.join(', ')}`);

const MOST_VISITS = 5;

describe.skipIf(!isReady)('Chromium', () => {
  let berth: Berth;
  let url: URL;
  let tlsPort: number;
  let folder: string;

  beforeAll(async () => {
    [tlsPort = 0] = await freePorts(1);
    folder = await mkdtemp(join(tmpdir(), 'berth-browser-'));
    berth = await Berth.up('--listen-tls', `127.0.0.1:${tlsPort}`);
    url = await berth.deploy('../test/fixtures/echo', { name: 'browser' });
    const trust = JSON.parse(await berth.run('tls', 'trust', '--json')) as {
      readonly path: string;
    };
    const database = join(folder, '.pki/nssdb');
    await mkdir(database, { recursive: true });
    const add = ['-A', '-n', 'berth', '-t', 'C,,', '-i', trust.path];
    await run(certutil ?? '', ['-N', '--empty-password', '-d', `sql:${database}`]);
    await run(certutil ?? '', [...add, '-d', `sql:${database}`]);
  });

  afterAll(async () => {
    await berth.close();
    await rm(folder, { recursive: true });
  });

  /**
   * Chromium drops all its connections when an interface of the host comes or goes, as containers make them
   * (ERR_NETWORK_CHANGED): such a visit says nothing. One that fails by itself fails every time.
   */
  async function visit(address: string, home = folder): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await visitOnce(address, home);
      } catch (error) {
        if (tries === MOST_VISITS || !String(error).includes('ERR_NETWORK_CHANGED')) throw error;
      }
    }
  }

  /** The page as it stands when it says that it is done, or after a while. */
  async function visitOnce(address: string, home: string): Promise<string> {
    const profile = await mkdtemp(join(folder, 'profile-'));
    const { stdout } = await run(
      browser ?? '',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
        ...['--no-first-run', '--disable-background-networking', '--no-proxy-server'],
        ...[`--user-data-dir=${profile}`, '--host-resolver-rules=MAP *.localhost 127.0.0.1'],
        ...['--timeout=10000', '--dump-dom', address],
      ],
      { timeout: 60_000, env: { PATH: process.env.PATH, HOME: home, TMPDIR: folder } },
    );
    return stdout;
  }

  /** The same for what the page itself asks: it is not done, or says that it met an error of the network. */
  async function visitUndisturbed(address: string): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const dom = await visit(address);
      const isDone = dom.includes('<title>done</title>');
      if (tries === MOST_VISITS || (isDone && !/network error|Failed to fetch/.test(dom)))
        return dom;
    }
  }
  const secure = (host: string, path: string) => `https://${host}:${tlsPort}${path}`;

  it('does not come in without trust in the local authority', async () => {
    const stranger = await mkdtemp(join(folder, 'stranger-'));
    const visiting = visit(secure(url.hostname, '/page'), stranger);
    await expect(visiting).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
  });

  it('loads a page over HTTP/2, sends bodies, hears events and talks over a WebSocket', async () => {
    const dom = await visitUndisturbed(secure(url.hostname, '/page'));
    const text = /<pre id="report">([^<]*)<\/pre>/.exec(dom)?.[1] ?? '';
    expect(dom, dom.slice(0, 500)).toContain('<title>done</title>');
    expect(JSON.parse(text)).toEqual({
      page: 'h2',
      post: 'POST 300000',
      streamedUpload: 'one two three',
      start: 'warm',
      events: '1 2 3',
      webSocket: 'hello, again 1, again 2, closed 1000',
      aborted: 200,
    });
  });

  it('shows people a page that says what is wrong, and leads on', async () => {
    const address = await berth.address();
    const port = address.split(':')[1] ?? '';
    const dom = await visit(`http://nobody-00000000.localhost:${port}/`);
    expect(dom).toContain('NOT_FOUND');
    expect(dom).toContain('Nothing is deployed at nobody-00000000.localhost');
    expect(dom).toContain(`http://berth.localhost:${port}/docs/errors/NOT_FOUND`);
  });

  it('leaves no request behind: the deployment comes to rest', async () => {
    const states = await berth.until(url, (seen) => seen.every((state) => state !== 'busy'));
    expect(states.length).toBeGreaterThan(0);
    for (const { inFlight } of await berth.instances(url)) expect(inFlight).toBe(0);
  });
});
