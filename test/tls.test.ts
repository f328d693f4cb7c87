/** https from the command line to the answer: the real program, real clients, and an ACME server that looks for itself. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foreignPair, shake, strangeKey } from '../src/tls/fixtures/world.ts';
import { freePorts, type Pebble, startPebble } from './fixtures/pebble.ts';

const root = join(import.meta.dirname, '..');
const domain = 'apps.test';

let folder: string;
let data: string;
let pebble: Pebble;
let port: number;
let tlsPort: number;
/** The deployment that everybody visits. */
let host: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-https-'));
  data = join(folder, 'data');
  [port = 0, tlsPort = 0] = await freePorts(2);
  pebble = await startPebble({ httpPort: port, tlsPort });
  await writeFile(join(folder, 'pebble.pem'), pebble.trusted);
  // Automatic certificates are for later: the first half is development as it comes.
  await up([]);
  const { url } = (await json(['deploy', '--image', 'app:1', '--name', 'hello'])) as {
    url: string;
  };
  host = new URL(url).hostname;
});
afterAll(async () => {
  await berth(['down']);
  await pebble.stop();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program to its end, without a terminal. */
function berth(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'src/main.ts'), ...args],
      {
        cwd: folder,
        env: {
          ...{ PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, HOME: folder },
          ...{ BERTH_DATA: data, NODE_COMPILE_CACHE: join(folder, 'compiled'), ...env },
        },
      },
      (error, out, err) => {
        const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
        resolve({ code, out, err });
      },
    );
  });
}

async function json(args: readonly string[]): Promise<unknown> {
  const ran = await berth([...args, '--json']);
  expect(ran.err).toBe('');
  return JSON.parse(ran.out);
}

async function up(options: readonly string[]): Promise<void> {
  const listen = ['--listen', `127.0.0.1:${port}`, '--listen-tls', `127.0.0.1:${tlsPort}`];
  const ran = await berth(['up', '--engine', 'memory', '--domain', domain, ...listen, ...options]);
  expect(ran).toMatchObject({ code: 0 });
}

/** As curl sees it: `status url`, and what was said. */
async function curl(url: string, ...options: readonly string[]): Promise<string> {
  const { hostname, port: asked } = new URL(url);
  const words = ['--silent', '--show-error', '--noproxy', '*', '--max-time', '60'];
  const resolve = ['--resolve', `${hostname}:${asked}:127.0.0.1`];
  const write = ['--write-out', '%{http_code} %{ssl_verify_result} %header{x-berth-start}'];
  const { stdout } = await promisify(execFile)('curl', [
    ...[...words, ...resolve, ...write, '--output', '/dev/null'],
    ...[...options, url],
  ]);
  return stdout;
}

const secure = (path = '/') => `https://${host}:${tlsPort}${path}`;

describe('development', () => {
  it('serves https that is refused until the local authority is trusted, and then like plain http', async () => {
    await expect(curl(secure())).rejects.toThrow(/certificate/i);
    const trust = (await json(['tls', 'trust'])) as { path: string; domains: readonly string[] };
    expect(trust.domains).toEqual(['localhost', domain]);
    expect(await curl(secure(), '--cacert', trust.path)).toMatch(/^200 0 \w+$/);
    expect(await curl(secure(), '--cacert', trust.path, '--http1.1')).toMatch(/^200 0 warm$/);
    const local = `https://127.0.0.1:${tlsPort}/api/v1/health`;
    expect(await curl(local, '--cacert', trust.path)).toMatch(/^200 0/);
    expect(await json(['status'])).toMatchObject({ listenTls: `127.0.0.1:${tlsPort}` });
  });

  it('explains how to trust it and how to undo that, and copies it for others', async () => {
    const { code, out, err } = await berth(['tls', 'trust', '--output', 'copy.crt']);
    expect([code, err]).toEqual([0, '']);
    const copy = join(folder, 'copy.crt');
    for (const line of [
      `sudo cp ${copy} /usr/local/share/ca-certificates/berth-`,
      'sudo update-ca-certificates',
      'undo: sudo rm /usr/local/share/ca-certificates/berth-',
      `security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${copy}`,
      'Firefox',
      `vouches for  localhost, ${domain}`,
    ]) {
      expect(out).toContain(line);
    }
    expect(await readFile(copy, 'utf8')).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(await curl(secure(), '--cacert', copy)).toMatch(/^200 0/);
  });

  it('takes a certificate of one’s own, lists it without its key, and gives it up', async () => {
    const { pair, authority } = await foreignPair([`*.${domain}`]);
    await Promise.all([
      writeFile(join(folder, 'mine.pem'), pair.certificate),
      writeFile(join(folder, 'mine.key'), pair.key),
      writeFile(join(folder, 'other.key'), strangeKey()),
      writeFile(join(folder, 'ca.pem'), authority.certificate),
    ]);
    const add = ['tls', 'add', `*.${domain}`, '--cert', 'mine.pem', '--key'];
    const bad = await berth([...add, 'other.key']);
    expect(bad.code).toBe(1);
    expect(bad.err).toContain('error CERTIFICATE_INVALID: The certificate cannot be used');
    expect(bad.err).toContain('does not belong to the certificate');
    await expect(curl(secure(), '--cacert', 'ca.pem')).rejects.toThrow();

    expect((await berth([...add, 'mine.key'])).err).toContain(`*.${domain} is served with`);
    expect(await curl(secure(), '--cacert', join(folder, 'ca.pem'))).toMatch(/^200 0/);
    const listed = await berth(['tls']);
    expect(listed.out).toMatch(/^HOSTNAME +FROM +STATE +ISSUER$/m);
    expect(listed.out).toMatch(/^\*\.apps\.test +your own +valid until [\d-]+ +Somebody else$/m);
    const secret = pair.key.split('\n')[1] ?? '';
    const shown = JSON.stringify(await json(['tls', 'ls']));
    expect(shown).toContain('"source":"own"');
    expect(shown).not.toContain(secret);
    expect(await readFile(join(data, 'serve.log'), 'utf8')).not.toContain(secret);

    expect(await json(['tls', 'rm', `*.${domain}`])).toEqual({
      hostname: `*.${domain}`,
      removed: true,
    });
    await expect(curl(secure(), '--cacert', join(folder, 'ca.pem'))).rejects.toThrow();
    const gone = await berth(['tls', 'rm', `*.${domain}`]);
    expect(gone.err).toContain('error CERTIFICATE_NOT_FOUND');
    expect(
      (await berth(['tls', 'add', '1.2.3.4', '--cert', 'mine.pem', '--key', 'mine.key'])).err,
    ).toContain('error INVALID_INPUT');
  });

  it('lets nobody manage certificates without the token', async () => {
    for (const path of ['certificates', `certificates/${host}`, 'authority']) {
      expect(await curl(`http://127.0.0.1:${port}/api/v1/${path}`)).toMatch(/^401/);
    }
  });
});

describe('production', () => {
  it('gets certificates by itself, sends visitors to https, and tells browsers to stay there', async () => {
    expect((await berth(['down'])).code).toBe(0);
    const acme = ['--acme-email', 'ops@apps.test', '--acme-directory', pebble.directory];
    await up([...acme, '--acme-ca', 'pebble.pem', '--https-redirect', '--hsts', '1d']);
    const [deployed] = (await json(['ls'])) as readonly { url: string }[];
    expect(deployed?.url).toBe(`https://${host}:${tlsPort}`);

    await writeFile(join(folder, 'root.pem'), await pebble.root());
    const trusted = ['--cacert', join(folder, 'root.pem')];
    expect(await curl(secure(), ...trusted)).toMatch(/^200 0 \w+$/);
    const plain = `http://${host}:${port}/a?b=c`;
    expect(await curl(plain)).toMatch(/^308/);
    const write = ['--write-out', '%{redirect_url} %header{strict-transport-security}'];
    expect(await curl(plain, ...write)).toBe(`https://${host}:${tlsPort}/a?b=c `);
    expect(await curl(secure(), ...trusted, ...write)).toBe(' max-age=86400');

    const listed = (await json(['tls', 'ls'])) as readonly { hostname: string; source: string }[];
    expect(listed.find(({ hostname }) => hostname === host)).toMatchObject({
      source: 'acme',
      state: 'valid',
      names: [host],
    });
    const { peer } = await shake(tlsPort, host);
    expect((await berth(['down'])).code).toBe(0);
    await up([...acme, '--acme-ca', 'pebble.pem']);
    expect((await shake(tlsPort, host)).peer.serialNumber).toBe(peer.serialNumber);
    expect((await stat(join(data, 'certificates/acme'))).mode & 0o777).toBe(0o700);
  });
});
