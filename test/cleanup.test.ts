/** Clean-up on the real Podman: all that Berth made goes when nothing needs it, and nothing that others made. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DiskUsage, GcPlan, GcReport } from '../src/client/client.ts';
import { systemRandom } from '../src/system/random.ts';
import { Berth, podman } from './fixtures/berth.ts';

const execute = promisify(execFile);
const SERVER =
  "require('http').createServer((_, answer) => answer.end('hi')).listen(process.env.PORT)";
const CMD = `CMD ["node", "-e", "process.on('SIGTERM', process.exit); ${SERVER}"]`;

let berth: Berth;
let folder: string;
/** By which Podman's own lists find what this Berth made. */
let label: string;
/** Undoes what a test made by hand, latest first. */
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-cleanup-'));
  berth = await Berth.up('--failed-ttl', '0s', '--cache-ttl', '0s');
  const database = new Database(berth.file('berth.db'), { readonly: true });
  const row = database.prepare("select value from settings where name = 'ledger'").get();
  database.close();
  label = `label=berth.ledger=${(row as { value: string }).value}`;
});

afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

afterAll(async () => {
  await berth.run('gc', '--yes');
  await berth.close();
  await rm(folder, { recursive: true, force: true });
});

async function source(dockerfile: string): Promise<string> {
  const path = join(folder, systemRandom.id(8));
  await mkdir(path);
  await writeFile(join(path, 'Dockerfile'), dockerfile);
  await writeFile(join(path, 'berth.json'), '{"limits":{"timeout":1000}}');
  return path;
}

async function deploy(dockerfile: string, name: string): Promise<string> {
  const url = await berth.run('deploy', await source(dockerfile), '--name', name);
  return new URL(url).hostname.split('.')[0] ?? '';
}

const gc = async () => JSON.parse(await berth.run('gc', '--yes', '--json')) as GcReport;
const plan = async () => JSON.parse(await berth.run('gc', '--dry-run', '--json')) as GcPlan;
const ours = () => listed('images', '--all', '--quiet', '--no-trunc', '--filter', label);
/** Podman's list fails as a whole when an image is removed under it, by whomever. */
async function listed(...words: readonly string[]): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await podman(...words);
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

const networks = () => podman('network', 'ls', '--quiet', '--filter', label);
const hasImage = async (id: string) =>
  (await listed('images', '--all', '--quiet', '--no-trunc')).includes(id);

/** As somebody else on this host builds; the id of the image. */
async function buildByHand(dockerfile: string): Promise<string> {
  const path = await source(dockerfile);
  const { stdout } = await execute('podman', ['build', '--quiet', '--format=docker', path]);
  const id = `sha256:${stdout.trim()}`;
  undo.push(() => execute('podman', ['rmi', '--force', id]).catch(() => undefined));
  return id;
}

test('a build that failed leaves nothing once its time is over: layers, network, logs, row', async () => {
  const dockerfile = `FROM node:24-slim\nRUN head -c 2000000 /dev/urandom > /big\nRUN false\n`;
  await expect(deploy(dockerfile, 'failing')).rejects.toThrow(/BUILD_FAILED/);
  expect((await ours()).length).toBeGreaterThan(0);
  const { lines, freedBytes } = await gc();
  const layer = lines.find(({ bytes }) => bytes > 1_900_000);
  expect(layer).toMatchObject({ kind: 'layer', outcome: 'removed' });
  expect(freedBytes).toBeGreaterThan(1_900_000);
  expect(await ours()).toEqual([]);
  expect(JSON.parse(await berth.run('ls', '--json'))).toEqual([]);
});

test('an app that never came up leaves no network and no image', async () => {
  const dockerfile = `FROM node:24-slim\nCMD ["node", "-e", "process.exit(3)"]\n`;
  await expect(deploy(dockerfile, 'crashing')).rejects.toThrow(/BOOT_FAILED/);
  expect(await networks()).not.toEqual([]);
  const { lines } = await gc();
  expect(lines.map(({ kind }) => kind)).toContain('network');
  expect(await networks()).toEqual([]);
  expect(await ours()).toEqual([]);
});

test('the layers of a stage go when nothing builds on them, those of the image stay, and a run after that does nothing', async () => {
  const stages = `FROM node:24-slim AS build\nRUN head -c 3000000 /dev/urandom > /stage\nFROM node:24-slim\nCOPY --from=build /stage /kept\n${CMD}\n`;
  const id = await deploy(stages, 'staged');
  const usage = JSON.parse(await berth.run('usage', '--disk', '--json')) as DiskUsage;
  const row = usage.projects.find(({ project }) => project === 'staged');
  expect(row?.cache).toBeGreaterThan(2_900_000);
  const before = await plan();
  const going = before.lines.filter(({ verdict }) => verdict === 'remove');
  expect(going.map(({ kind }) => kind)).toEqual(['layer']);
  expect(before.lines.find((line) => line.id === id)?.because).toMatch(/^preview, no request/);
  const report = await gc();
  expect(report.freedBytes).toBe(before.freeableBytes);
  expect(report.freedBytes).toBeGreaterThan(2_900_000);
  expect((await gc()).lines).toEqual([]);
  expect((await berth.get(new URL(`http://${id}.localhost`))).body).toBe('hi');
  await berth.run('rm', '--yes', id);
  expect(await ours()).toEqual([]);
  expect(await networks()).toEqual([]);
});

test('what others made stays: images with and without a name, containers, volumes, and the base of an app', async () => {
  const name = `berth-foreign-${systemRandom.id(6)}`;
  const unnamed = await buildByHand(`FROM node:24-slim\nENV FOREIGN=${name}\n`);
  await execute('podman', ['volume', 'create', name]);
  undo.push(() => execute('podman', ['volume', 'rm', name]));
  await execute('podman', ['create', '--name', name, 'node:24-slim', 'true']);
  undo.push(() => execute('podman', ['rm', '--force', name]));
  const id = await deploy(`FROM ${unnamed}\n${CMD}\n`, 'guest');
  await berth.run('rm', '--yes', id);
  await gc();
  expect(await ours()).toEqual([]);
  expect(await hasImage(unnamed)).toBe(true);
  expect(await podman('volume', 'ls', '--quiet')).toContain(name);
  expect(await podman('ps', '--all', '--format', '{{.Names}}')).toContain(name);
  expect(await podman('images', '--quiet', 'docker.io/library/node:24-slim')).toHaveLength(1);
});

test('an image of ours that others use stays for as long as they do, and the run says so', async () => {
  const id = await deploy(`FROM node:24-slim\nENV USED=yes\n${CMD}\n`, 'used');
  const detail = JSON.parse(await berth.run('inspect', id, '--json')) as { image: { id: string } };
  const image = detail.image.id;
  // Carries our label as well, but nothing of ours names it.
  const derived = await buildByHand(`FROM ${image}\nENV MORE=yes\n`);
  const name = `berth-foreign-${systemRandom.id(6)}`;
  await execute('podman', ['create', '--name', name, image, 'true']);
  undo.push(() => execute('podman', ['rm', '--force', name]).catch(() => undefined));
  await berth.run('rm', '--yes', id);
  const { lines } = await gc();
  expect(lines.find((line) => line.id === image)).toMatchObject({
    outcome: 'left',
    bytes: 0,
    because: expect.stringContaining('not Berth’s') as string,
  });
  expect(await hasImage(image)).toBe(true);
  expect(await hasImage(derived)).toBe(true);
  await execute('podman', ['rm', '--force', name]);
  await gc();
  // The image that somebody built on it still needs it.
  expect(await hasImage(derived)).toBe(true);
  for (const one of undo.splice(0).toReversed()) await one();
  await gc();
  expect(await ours()).toEqual([]);
});

test('where nobody can be asked, nothing is removed without --yes', async () => {
  const id = await deploy(`FROM node:24-slim\nRUN touch /asked\n${CMD}\n`, 'asked');
  await berth.run('rm', '--yes', id);
  const again = await deploy(
    `FROM node:24-slim AS a\nRUN touch /stage\nFROM node:24-slim\nCOPY --from=a /stage /\n${CMD}\n`,
    'asked',
  );
  await expect(berth.run('gc')).rejects.toThrow(/--dry-run/);
  expect((await plan()).lines.some(({ verdict }) => verdict === 'remove')).toBe(true);
  await berth.run('rm', '--yes', again);
});

test('a rollback in reach works after a clean-up: its deployment, image and layers are there', async () => {
  const release = async (version: string) => {
    const path = await source(
      `FROM node:24-slim\nENV VERSION=${version}\nCMD ["node", "-e", "process.on('SIGTERM', process.exit); require('http').createServer((_, answer) => answer.end(process.env.VERSION)).listen(process.env.PORT)"]\n`,
    );
    await berth.run('deploy', path, '--name', 'rolling', '--prod');
  };
  await release('one');
  await release('two');
  const { lines } = await plan();
  const kept = lines.filter(({ kind }) => kind === 'deployment').map(({ because }) => because);
  expect(kept.toSorted()).toEqual([
    'production v1, within the last 20 releases',
    'production v2, which takes the traffic',
  ]);
  await gc();
  const url = new URL('http://rolling.localhost');
  expect((await berth.get(url)).body).toBe('two');
  await berth.run('rollback', 'rolling');
  expect((await berth.get(url)).body).toBe('one');
  await gc();
  expect((await berth.get(url)).body).toBe('one');
  await berth.run('environments', 'rm', 'production', '--name', 'rolling', '--yes');
  const all = JSON.parse(await berth.run('ls', '--json')) as readonly { readonly id: string }[];
  await berth.run('rm', '--yes', ...all.map(({ id }) => id));
});

test('a whole project goes with its containers, images, network and aliases; its neighbour serves on', async () => {
  const own = (project: string) =>
    podman(
      'ps',
      '--all',
      '--quiet',
      '--filter',
      label,
      '--filter',
      `label=berth.project=${project}`,
    );
  const stays = await deploy(`FROM node:24-slim\nENV ME=stays\n${CMD}\n`, 'stays');
  for (const version of ['1', '2']) {
    const path = await source(`FROM node:24-slim\nENV GOES=${version}\n${CMD}\n`);
    await berth.run('deploy', path, '--name', 'goes', '--prod');
  }
  await berth.run('alias', 'set', 'goes.example.com', 'goes');
  const alias = new URL('http://goes.example.com');
  expect((await berth.get(alias)).status).toBe(200);
  const [images, nets] = [await ours(), await networks()];
  expect(await own('goes')).not.toEqual([]);
  expect(nets).toHaveLength(2);
  await berth.run('projects', 'rm', 'goes', '--yes', '--with-aliases');
  expect(await own('goes')).toEqual([]);
  expect(await networks()).toHaveLength(1);
  expect((await ours()).length).toBeLessThan(images.length);
  for (const url of [alias, new URL('http://goes.localhost')]) {
    expect((await berth.get(url)).status).toBe(404);
  }
  expect((await berth.get(new URL(`http://${stays}.localhost`))).body).toBe('hi');
  await berth.run('projects', 'rm', 'stays', '--yes');
  expect(await ours()).toEqual([]);
  expect(await networks()).toEqual([]);
});

test('when a deployment was last asked is remembered over a restart', async () => {
  const id = await deploy(`FROM node:24-slim\nENV REMEMBERED=yes\n${CMD}\n`, 'remembered');
  await berth.get(new URL(`http://${id}.localhost`));
  await berth.run('down');
  await berth.up('--failed-ttl', '0s', '--cache-ttl', '0s');
  const because = async () =>
    (await plan()).lines.find(({ kind }) => kind === 'deployment')?.because;
  // Once it sleeps again.
  await expect
    .poll(because, { timeout: 30_000 })
    .toMatch(/^preview, last request \d+ seconds? ago, lives 7 days$/);
  await berth.run('rm', '--yes', id);
});
