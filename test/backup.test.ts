/** A whole platform moved on the real Podman: everything answers there as it did here, and without images it says what is missing. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deployment, GcPlan, Release } from '../src/client/client.ts';
import { createClient } from '../src/client/client.ts';
import { systemClock } from '../src/system/clock.ts';
import { Berth } from './fixtures/berth.ts';

const execute = promisify(execFile);
const main = join(import.meta.dirname, '../src/main.ts');
const PROJECT = 'moving';
const SECRET = 'the value of the secret';
const ALIAS = new URL('http://www.moving.example');
const PRODUCTION = new URL(`http://${PROJECT}.localhost`);

const SERVER = (version: string) => `
const { createServer } = require('node:http');
const { GREETING = 'plain', DATABASE = 'none' } = process.env;
createServer((_, answer) => answer.end(['${version}', GREETING, DATABASE].join('|'))).listen(process.env.PORT);
process.once('SIGTERM', () => process.exit());
`;

let folder: string;
let source: string;
let pass: string;
/** What the old machine had. */
let deployments: readonly Deployment[];
let releases: readonly Release[];
let token: string;

async function version(name: string): Promise<void> {
  await writeFile(join(source, 'server.js'), SERVER(name));
}

const releasesOf = async (berth: Berth) =>
  JSON.parse(await berth.run('releases', PROJECT, '--json')) as readonly Release[];
const deploymentsOf = async (berth: Berth) =>
  JSON.parse(await berth.run('ls', '--json')) as readonly Deployment[];
const body = async (berth: Berth, url: URL) => (await berth.get(url)).body;
const urlOf = (id: string) => new URL(`http://${id}.localhost`);
const file = (name: string) => join(folder, name);

/** `berth restore` into a new home; the path of that home. */
async function restore(name: string, backup: string, ...options: readonly string[]) {
  const home = file(name);
  await mkdir(home);
  const words = ['restore', file(backup), '--data', join(home, 'data'), '--passphrase-file', pass];
  await execute(process.execPath, [main, ...words, ...options]);
  return home;
}

/** Takes a Berth down with everything that it made, images too. */
async function removeAll(berth: Berth): Promise<void> {
  await berth.run('environments', 'rm', 'production', '-n', PROJECT, '--yes', '--with-aliases');
  const left = (await deploymentsOf(berth)).map(({ id }) => id);
  await berth.run('rm', '--yes', ...left);
  await berth.run('gc', '--yes');
  await berth.close();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-moving-'));
  source = file('source');
  pass = file('passphrase');
  await mkdir(source);
  await writeFile(pass, 'a passphrase for tests\n');
  await writeFile(join(source, 'berth.json'), JSON.stringify({ name: PROJECT }));
  await writeFile(
    join(source, 'Dockerfile'),
    'FROM node:24-slim\nCOPY server.js /\nCMD ["node", "/server.js"]\n',
  );
  await writeFile(file('secret'), SECRET);

  const berth = await Berth.up('--cache-ttl', '0s');
  try {
    await version('one');
    await berth.run('deploy', source, '--prod');
    await berth.run('secrets', 'add', 'database', '--file', file('secret'));
    await berth.run('env', 'set', 'GREETING=hi', 'DATABASE=@database', '-n', PROJECT);
    await version('two');
    await berth.run('deploy', source, '--prod');
    expect(await body(berth, PRODUCTION)).toBe(`two|hi|${SECRET}`);
    // A way back that neither a restart nor a clean-up closes.
    await berth.run('down', '--instances');
    await berth.up('--cache-ttl', '0s');
    await berth.run('gc', '--yes');
    await berth.run('rollback', PROJECT);
    expect(await body(berth, PRODUCTION)).toBe(`one|hi|${SECRET}`);
    await berth.run('alias', 'set', ALIAS.host, PROJECT);
    token = (JSON.parse(await berth.run('token', 'add', 'ci', '--json')) as { value: string })
      .value;
    deployments = await deploymentsOf(berth);
    releases = await releasesOf(berth);
    await berth.run('backup', file('whole.berth'), '--passphrase-file', pass);
    await berth.run('backup', file('small.berth'), '--no-images', '--passphrase-file', pass);
    // Two of them on one machine would fight for its containers.
    await expect(restore('twin', 'whole.berth')).rejects.toThrow(/SERVER_RUNNING/);
    await expect(stat(file('twin/data'))).rejects.toThrow('ENOENT');
  } finally {
    await removeAll(berth);
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('both files are for their owner alone, and the small one has no images', async () => {
  const [whole, small] = await Promise.all([stat(file('whole.berth')), stat(file('small.berth'))]);
  expect(whole.mode & 0o777).toBe(0o600);
  expect(small.mode & 0o777).toBe(0o600);
  expect(small.size).toBeLessThan(2_000_000);
  expect(whole.size).toBeGreaterThan(20_000_000);
});

describe('on another machine, with an image store of its own', () => {
  let berth: Berth;
  let storage: string;

  beforeAll(async () => {
    storage = file('storage');
    const home = await restore('there', 'whole.berth', '--storage', storage);
    berth = await Berth.upIn(home, '--storage', storage);
  });

  afterAll(async () => {
    await removeAll(berth);
    // Podman keeps its storage mounted on itself.
    await execute('umount', [join(storage, 'root', 'overlay')]).catch(() => undefined);
  });

  test('every URL answers as it did: production, alias, and each deployment', async () => {
    expect(await body(berth, PRODUCTION)).toBe(`one|hi|${SECRET}`);
    expect(await body(berth, ALIAS)).toBe(`one|hi|${SECRET}`);
    const now = await deploymentsOf(berth);
    expect(now.map(({ id }) => id)).toEqual(deployments.map(({ id }) => id));
    for (const { id } of deployments) {
      expect(await body(berth, urlOf(id))).toMatch(/^(one|two)\|(plain\|none|hi\|the value)/);
    }
  });

  test('the history is the same, a token of before works, and who restored is in the audit log', async () => {
    expect(await releasesOf(berth)).toEqual(
      releases.map((release) => ({ ...release, url: expect.anything() as string })),
    );
    const url = `http://${await berth.address()}`;
    const ci = createClient({ url, token, sleep: (ms) => systemClock.sleep(ms) });
    expect((await ci.whoami()).name).toBe('ci');
    const actions = (
      JSON.parse(await berth.run('audit', '--json')) as readonly { action: string }[]
    ).map(({ action }) => action);
    expect(actions).toContain('backup.restored');
    expect(actions).toContain('release.created');
    expect(actions).toContain('token.added');
  });

  test('a rollback goes where it went, also after a restart and a clean-up', async () => {
    await berth.run('gc', '--yes');
    await berth.run('down', '--instances');
    await berth.up('--storage', storage);
    const two = releases.find(({ kind }) => kind === 'deploy');
    await berth.run('rollback', PROJECT, `v${two?.number}`);
    expect(await body(berth, PRODUCTION)).toBe(`two|hi|${SECRET}`);
  });

  test('clean-up knows the images that came along: each is kept for a reason, and goes with its deployment', async () => {
    const { lines } = JSON.parse(await berth.run('gc', '--dry-run', '--json')) as GcPlan;
    const images = lines.filter(({ kind }) => kind === 'image');
    expect(images.map(({ verdict }) => verdict)).toEqual(['keep', 'keep']);
  });
});

describe('without images', () => {
  let berth: Berth;

  beforeAll(async () => {
    const home = await restore('bare', 'small.berth');
    berth = await Berth.upIn(home);
  });

  afterAll(() => removeAll(berth));

  test('a deployment says that its image is gone, and deploying the same folder brings it back under the same names', async () => {
    const first = await berth.get(PRODUCTION);
    expect(first.status).toBe(503);
    expect(first.body).toContain('IMAGE_GONE');
    await expect(berth.run('rollback', PROJECT)).rejects.toThrow(/IMAGE_GONE/);
    const ids = new Set(deployments.map(({ id }) => id));
    await version('one');
    await berth.run('deploy', source, '--prod');
    expect(await body(berth, PRODUCTION)).toBe(`one|hi|${SECRET}`);
    expect((await deploymentsOf(berth)).filter(({ id }) => !ids.has(id))).toEqual([]);
    const [latest] = await releasesOf(berth);
    expect(latest?.deployment).toBe(releases[0]?.deployment);
  });
});
