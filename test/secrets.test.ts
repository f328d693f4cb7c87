/** A secret goes through everything Berth does, and is found nowhere but in the process that needs it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Berth, podman } from './fixtures/berth.ts';
import { type Canary, createCanary, filesWith } from './fixtures/canary.ts';

const execute = promisify(execFile);
const MAIN = join(import.meta.dirname, '../src/main.ts');

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Says what it was given without telling it. */
const PROVES = `import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
const digest = (text) => createHash('sha256').update(text ?? '').digest('hex');
createServer((request, response) =>
  response.end(digest(process.env.SECRET) + ' ' + digest(process.env.EXTRA)),
).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
`;

/** Tells it, as careless apps do, and fails. */
const TELLS = `console.log('starting with', process.env.SECRET);
console.error(JSON.stringify({ env: { SECRET: process.env.SECRET } }));
process.exit(3);
`;

/** Where Podman and its runtime keep what they know of containers, and where logs of the machine lie. */
const MACHINE = [
  '/var/lib/containers/storage/overlay-containers',
  '/var/lib/containers/storage/overlay-images',
  '/var/lib/containers/storage/libpod',
  '/var/lib/containers/cache',
  '/run/containers',
  '/run/libpod',
  '/run/runc',
  '/run/crun',
  '/var/log',
  '/dev/shm',
];

describe('the search itself', () => {
  test('finds a canary in every form that something might write', async () => {
    const canary = createCanary();
    const { value } = canary;
    const folder = await mkdtemp(join(tmpdir(), 'berth-canary-'));
    try {
      const written: Readonly<Record<string, string>> = {
        plain: value,
        json: JSON.stringify({ env: [`SECRET=${value}`] }),
        twice: JSON.stringify(JSON.stringify({ value })),
        url: `?secret=${encodeURIComponent(value)}`,
        form: new URLSearchParams({ value }).toString(),
        hex: Buffer.from(value).toString('hex'),
        upper: Buffer.from(value).toString('hex').toUpperCase(),
        base64: Buffer.from(value).toString('base64'),
        base64one: Buffer.from(`a${value}`).toString('base64'),
        base64two: Buffer.from(`ab${value}`).toString('base64url'),
        inside: Buffer.from(JSON.stringify({ value })).toString('base64'),
      };
      for (const [name, text] of Object.entries(written)) {
        await writeFile(join(folder, name), `before ${text} after`);
      }
      const found = await filesWith([canary], [folder]);
      const names = found.map((line) => line.replace(/^.*\/(\w+) .*$/, '$1'));
      expect(new Set(names)).toEqual(new Set(Object.keys(written)));
      expect(await filesWith([createCanary()], [folder])).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a secret', () => {
  let berth: Berth;
  /** For what comes in from outside; not searched, and removed at once. */
  let desk: string;
  const canary = createCanary();
  const renewed = createCanary();
  const told = createCanary();
  const canaries = [canary, renewed, told];
  const urls: URL[] = [];
  const deployed = new Set<string>();

  beforeAll(async () => {
    desk = await mkdtemp(join(tmpdir(), 'berth-desk-'));
    berth = await Berth.up();
  });
  afterAll(async () => {
    await rm(desk, { recursive: true, force: true });
    // A test that failed early has not released anything.
    await berth
      ?.run('environments', 'rm', 'production', '--name', 'hello', '--yes')
      .catch(() => undefined);
    await removeOthers();
    await berth?.close();
  });

  /** Standard output and error of a command, whether it succeeds or not. */
  async function said(...words: readonly string[]): Promise<string> {
    const args = [MAIN, '--data', berth.file('.'), ...words];
    const { stdout, stderr } = await execute(process.execPath, args).catch(
      (failure: { readonly stdout: string; readonly stderr: string }) => failure,
    );
    return stdout + stderr;
  }

  /** The value goes in through standard input, which leaves no trace. */
  async function give(canaryGiven: Canary, ...words: readonly string[]): Promise<string> {
    const file = join(desk, 'value');
    await writeFile(file, canaryGiven.value, { mode: 0o600 });
    try {
      return await said(...words, '--file', file);
    } finally {
      await rm(file);
    }
  }

  /** What was derived, and what failed: the rest is removed by who deployed it. */
  async function removeOthers(): Promise<void> {
    const deployments = JSON.parse(await berth.run('ls', '--json')) as { readonly id: string }[];
    const others = deployments.map(({ id }) => id).filter((id) => !deployed.has(id));
    if (others.length > 0) await berth.run('rm', '--yes', ...others);
  }

  async function deploy(...words: Parameters<Berth['deploy']>): Promise<URL> {
    const url = await berth.deploy(...words);
    deployed.add(url.hostname.split('.')[0] ?? '');
    return url;
  }

  async function containers(): Promise<readonly string[]> {
    return podman('ps', '--all', '--filter', 'label=berth.project=hello', '--format', '{{.ID}}');
  }

  /** Everything that could hold it and is a file. `except`: where an app itself wrote it. */
  async function files(except = '/nowhere'): Promise<readonly string[]> {
    const uppers = await Promise.all(
      (await containers()).map((id) =>
        podman('inspect', '--format', '{{.GraphDriver.Data.UpperDir}}', id).catch(() => []),
      ),
    );
    const found = await filesWith(canaries, [berth.file('.'), ...MACHINE, ...uppers.flat()]);
    return found.filter((line) => !line.startsWith(except));
  }

  function leaks(texts: Readonly<Record<string, string>>): readonly string[] {
    return Object.entries(texts)
      .filter(([, text]) => canaries.some((one) => one.formsIn(text).length > 0))
      .map(([name]) => name);
  }

  /** What Podman says of our containers and images, and what `ps` shows. */
  async function inspections(): Promise<readonly string[]> {
    const texts: Record<string, string> = {};
    for (const id of await containers()) {
      texts[`inspect ${id}`] = (await podman('inspect', id).catch(() => [])).join('\n');
    }
    const deployments = JSON.parse(await berth.run('ls', '--json')) as {
      readonly image?: { readonly id: string };
    }[];
    for (const id of new Set(deployments.flatMap(({ image }) => image?.id ?? []))) {
      texts[`history ${id}`] = (await podman('history', '--no-trunc', id)).join('\n');
      texts[`image ${id}`] = (await podman('image', 'inspect', id)).join('\n');
    }
    texts['events'] = (
      await podman('events', '--stream=false', '--since', '10m', '--format', 'json')
    ).join('\n');
    texts['ps'] = (await execute('ps', ['-eo', 'args'])).stdout;
    return leaks(texts);
  }

  /** Every answer of the API that needs nothing but a name. */
  async function answers(): Promise<readonly string[]> {
    const address = `http://${await berth.address()}`;
    const token = (await readFile(berth.file('token'), 'utf8')).trim();
    const ask = async (path: string) => {
      const response = await fetch(`${address}${path}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(20_000),
      });
      return `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`;
    };
    const { paths } = (await (await fetch(`${address}/api/v1/openapi.json`)).json()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    };
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      'get' in methods ? path : [],
    );
    expect(known.length).toBeGreaterThan(15);
    const texts: Record<string, string> = {};
    for (const path of [...known, '/', '/metrics', '/docs/errors/SECRET_IN_USE', '/nothing']) {
      for (const url of path.includes('{name}') ? urls : urls.slice(0, 1)) {
        const name = url.hostname.split('.')[0] ?? '';
        const filled = path
          .replace('{name}', name)
          .replace('{project}', 'hello')
          .replace('{environment}', 'production')
          .replace(/\{[^}]*\}/g, '1');
        texts[`GET ${filled}`] = await ask(filled);
      }
    }
    const asked = Object.values(texts);
    expect(asked.filter((text) => text.startsWith('200 ')).length).toBeGreaterThan(12);
    return leaks(texts);
  }

  async function commands(): Promise<readonly string[]> {
    const texts: Record<string, string> = {};
    const names = urls.map((url) => url.hostname.split('.')[0] ?? '');
    for (const words of [
      ['ls'],
      ['instances'],
      ['secrets', 'ls'],
      ['env', 'ls', '--name', 'hello'],
      ['env', 'pull', '--name', 'hello'],
      ['releases', 'hello'],
      ['status'],
      ['doctor'],
      ['secrets', 'rm', 'canary'],
      ...names.flatMap((name) => [
        ['inspect', name],
        ['logs', name],
      ]),
    ]) {
      texts[words.join(' ')] = await said(...words);
      texts[`${words.join(' ')} --json`] = await said(...words, '--json');
    }
    return leaks(texts);
  }

  const everywhere = async (except?: string) => ({
    files: await files(except),
    inspections: await inspections(),
    answers: await answers(),
  });
  const NOWHERE = { files: [], inspections: [], answers: [] };

  test('reaches its process exactly, and nothing else, while it is deployed, released, put to rest and adopted', async () => {
    expect(leaks({ add: await give(canary, 'secrets', 'add', 'canary') })).toEqual([]);
    const url = await deploy(
      'hello',
      { env: { SECRET: '@canary' }, limits: { timeout: 1_000 } },
      { 'server.mjs': PROVES },
    );
    urls.push(url);
    const own = `${sha256(canary.value)} ${sha256('')}`;
    expect((await berth.get(url)).body).toBe(own);
    expect(await everywhere(), 'running').toEqual(NOWHERE);

    await berth.run('promote', url.href, '--to', 'production');
    await berth.run('env', 'set', '--name', 'hello', 'EXTRA=@canary', 'PLAIN=@@canary');
    const production = new URL(url.href.replace(url.hostname, `hello.${rest(url.hostname)}`));
    const both = `${sha256(canary.value)} ${sha256(canary.value)}`;
    expect((await berth.get(production)).body).toBe(both);
    expect(await berth.run('env', 'pull', '--name', 'hello')).toBe('EXTRA=@canary\nPLAIN=@@canary');
    await berth.until(url, (states) => states.every((state) => state === 'frozen'));
    expect(await everywhere(), 'released and at rest').toEqual(NOWHERE);

    await berth.kill();
    await berth.up();
    expect((await berth.get(production)).body).toBe(both);
    expect(await everywhere(), 'adopted').toEqual(NOWHERE);
  });

  test('is given a new value, and sealed with a new key, without a trace of either', async () => {
    const production = new URL(urls[0]?.href ?? '');
    production.hostname = `hello.${rest(production.hostname)}`;
    expect(leaks({ rotate: await give(renewed, 'secrets', 'rotate', 'canary') })).toEqual([]);
    expect((await berth.get(production)).body).toContain(sha256(canary.value));
    expect(await said('secrets', 'ls')).toContain('still v1');
    const before = await readFile(berth.file('secrets.key'), 'utf8');
    expect(leaks({ key: await said('secrets', 'rotate-key') })).toEqual([]);
    expect(await readFile(berth.file('secrets.key'), 'utf8')).not.toBe(before);
    // The newest of all: what runs has the old one until then.
    expect(
      leaks({ again: await give(renewed, 'secrets', 'rotate', 'canary', '--release') }),
    ).toEqual([]);
    const both = `${sha256(renewed.value)} ${sha256(renewed.value)}`;
    expect((await berth.get(production)).body).toBe(both);
    expect((await berth.get(urls[0] ?? production)).body).toContain(sha256(canary.value));
    expect(await everywhere()).toEqual(NOWHERE);
  });

  test('that an app prints before it fails is shown by its name only', async () => {
    await give(told, 'secrets', 'add', 'told');
    const failure = await deploy(
      'crash',
      { env: { SECRET: '@told' } },
      { 'server.mjs': TELLS },
    ).then(
      () => 'it was deployed',
      (error: { readonly stdout: string; readonly stderr: string }) => error.stdout + error.stderr,
    );
    expect(failure).toContain('BOOT_FAILED');
    expect(failure).toContain('[secret told]');
    const deployments = JSON.parse(await berth.run('ls', 'crash', '--json')) as {
      readonly id: string;
      readonly url: string;
    }[];
    const failed = deployments[0];
    urls.push(new URL(failed?.url ?? ''));
    expect(await said('logs', failed?.id ?? '')).toContain('[secret told]');
    const page = await berth.get(new URL(failed?.url ?? ''));
    expect(leaks({ failure, page: page.body })).toEqual([]);
    // The file of its output is the one place where what it printed stands as it is.
    const logs = join(berth.file('logs'), failed?.id ?? '');
    expect(await readdir(logs)).not.toEqual([]);
    expect(await everywhere(logs)).toEqual(NOWHERE);
    expect(await commands()).toEqual([]);
  });

  test('whose key is lost leaves everything else as it was, and works again when it is back', async () => {
    const key = await readFile(berth.file('secrets.key'));
    const plain = await deploy('hello', { env: {} });
    await berth.run('down');
    await rm(berth.file('secrets.key'));
    await berth.up();
    expect((await berth.get(plain)).status).toBe(200);
    const url = urls[0];
    if (!url) throw new Error('the first test deployed it');
    // It rests, and what rests has its values.
    expect((await berth.get(url)).body).toContain(sha256(canary.value));
    expect(await give(told, 'secrets', 'add', 'more')).toContain('SECRETS_LOCKED');
    const configuration = { env: { SECRET: '@canary' }, port: 8081 };
    await expect(deploy('hello', configuration, { 'server.mjs': PROVES })).rejects.toThrow(
      'SECRETS_LOCKED',
    );
    expect(await said('doctor')).toContain('secrets.key is not there');
    await writeFile(berth.file('secrets.key'), key, { mode: 0o600 });
    const again = await deploy('hello', configuration, { 'server.mjs': PROVES });
    expect((await berth.get(again)).body).toContain(sha256(renewed.value));
  });
});

/** All but the first label. */
function rest(hostname: string): string {
  return hostname.slice(hostname.indexOf('.') + 1);
}
