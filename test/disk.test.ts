/** Berth on a disk that fills up: builds are refused in words, serving goes on, clean-up frees, and builds work again. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DiskUsage, GcReport } from '../src/client/client.ts';
import { systemClock } from '../src/system/clock.ts';
import { systemRandom } from '../src/system/random.ts';
import { Berth } from './fixtures/berth.ts';
import { openSmallDisk, type SmallDisk, whyNoSmallDisk } from './fixtures/small-disk.ts';

const execute = promisify(execFile);
const MB = 1e6;
const GIB = 1024 ** 3;
const BASE = 'docker.io/library/node:24-slim';
const CMD = `CMD ["node", "-e", "process.on('SIGTERM', process.exit); require('http').createServer((_, answer) => answer.end('hi')).listen(process.env.PORT)"]`;
/** 15 % of 4 GiB are less: so much is left free. */
const RESERVE_BYTES = GIB;

const because = await whyNoSmallDisk();
if (because !== undefined) console.warn(`test/disk.test.ts is skipped: ${because}`);

let disk: SmallDisk;
let berth: Berth;
let storage: string;
/** Long enough for a refusal on a loaded machine, before anything has had its time: three tests wait for the end of it. */
const OPTIONS = ['--preview-ttl', '15s', '--cache-ttl', '0s', '--failed-ttl', '0s'];

beforeAll(async () => {
  if (because !== undefined) return;
  disk = await openSmallDisk(4 * GIB);
  storage = join(disk.path, 's');
  // The base image, as somebody pulled it: there is no registry in a test.
  const archive = join(disk.path, 'base.tar');
  await execute('podman', ['save', '--output', archive, BASE]);
  await podmanHere('load', '--input', archive);
  await execute('rm', [archive]);
  const home = join(disk.path, 'berth');
  await mkdir(home);
  berth = await Berth.upIn(home, '--storage', storage, ...OPTIONS);
});

afterAll(async () => {
  if (because !== undefined) return;
  await disk.leave(GIB);
  await berth.run('gc', '--yes');
  const left = JSON.parse(await berth.run('ls', '--json')) as readonly { readonly id: string }[];
  if (left.length > 0) await berth.run('rm', '--yes', ...left.map(({ id }) => id));
  await berth.close();
  await disk.close();
});

async function podmanHere(...words: readonly string[]): Promise<readonly string[]> {
  const where = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run')];
  const { stdout } = await execute('podman', [...where, ...words]);
  return stdout.split('\n').filter((line) => line !== '');
}

async function deploy(dockerfile: string, name: string): Promise<URL> {
  const path = join(disk.path, systemRandom.id(8));
  await mkdir(path);
  await writeFile(join(path, 'Dockerfile'), dockerfile);
  await writeFile(join(path, 'berth.json'), '{"limits":{"timeout":1000}}');
  return new URL(await berth.run('deploy', path, '--name', name));
}

const app = (name: string) => `FROM node:24-slim\nENV NAME=${name}\n${CMD}\n`;
const gc = async () => JSON.parse(await berth.run('gc', '--yes', '--json')) as GcReport;
const usage = async () => JSON.parse(await berth.run('usage', '--disk', '--json')) as DiskUsage;

/** Whether a clean-up would remove the deployment that fills the disk. */
async function isFillerDue(): Promise<boolean> {
  const { lines } = await (await berth.client()).gcPlan();
  return lines.some(
    ({ kind, project, verdict }) =>
      kind === 'deployment' && project === 'filler' && verdict === 'remove',
  );
}

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + 120_000;
  while (!(await isSo())) {
    if (systemClock.now() > deadline) throw new Error('it did not become so within two minutes');
    await systemClock.sleep(500);
  }
}

describe.skipIf(because !== undefined)('on a small disk', () => {
  test('at the mark builds are refused with what is missing and who is biggest, and work again after a clean-up', async () => {
    const keeper = await deploy(app('keeper'), 'keeper');
    const filler = `FROM node:24-slim\nRUN head -c 300000000 /dev/zero > /filler\n${CMD}\n`;
    const filled = await deploy(filler, 'filler');
    expect((await berth.get(filled)).status).toBe(200);
    // As much room as a clean-up of the filler gives is missing, and a little less.
    await disk.leave(RESERVE_BYTES - 200 * MB);
    expect((await berth.get(keeper)).status).toBe(200);
    const refused = deploy(app('more'), 'more');
    await expect(refused).rejects.toThrow(/DISK_FULL/);
    await expect(refused).rejects.toThrow(/2\d\d MB are missing\..*`berth gc` would free nothing/s);
    await expect(refused).rejects.toThrow(/The biggest: .*filler 3\d\d MB/);
    expect((await usage()).roomBytes).toBe(0);
    // Serving goes on, from rest too; and whoever is asked lives on.
    const isOver = async () => {
      expect((await berth.get(keeper)).status).toBe(200);
      return isFillerDue();
    };
    await waitUntil(isOver);
    const { lines, freedBytes, diskFreedBytes } = await gc();
    expect(lines.map(({ project }) => project)).not.toContain('keeper');
    expect(freedBytes).toBeGreaterThan(290 * MB);
    // What it says it freed is what the file system got back.
    expect(Math.abs(diskFreedBytes - freedBytes)).toBeLessThan(30 * MB);
    const again = await deploy(app('more'), 'more');
    expect((await berth.get(again)).status).toBe(200);
    expect((await berth.get(keeper)).status).toBe(200);
  });

  test('at the mark a clean-up runs by itself before anything is refused', async () => {
    const filler = `FROM node:24-slim\nRUN head -c 200000000 /dev/zero > /filler\n${CMD}\n`;
    await disk.leave(2 * GIB);
    await deploy(filler, 'filler');
    await disk.leave(RESERVE_BYTES - 100 * MB);
    const before = await disk.freeBytes();
    await waitUntil(isFillerDue);
    const url = await deploy(app('pressed'), 'pressed');
    expect((await berth.get(url)).status).toBe(200);
    expect((await disk.freeBytes()) - before).toBeGreaterThan(150 * MB);
  });

  test('a build that fills the disk fails as DISK_FULL, and nothing of it stays', async () => {
    await disk.leave(GIB);
    await gc();
    await disk.leave(RESERVE_BYTES + 100 * MB);
    const before = await disk.freeBytes();
    const [images, containers] = [await podmanHere('images', '-aq'), await podmanHere('ps', '-aq')];
    const hungry = `FROM node:24-slim\nRUN head -c 50000000 /dev/zero > /small\nRUN fallocate -l 2G /big\n${CMD}\n`;
    await expect(deploy(hungry, 'hungry')).rejects.toThrow(/DISK_FULL/);
    await gc();
    expect(await podmanHere('images', '-aq')).toEqual(images);
    expect(await podmanHere('ps', '-aq')).toEqual(containers);
    expect(before - (await disk.freeBytes())).toBeLessThan(5 * MB);
  });

  test('with not a byte left, what sleeps still wakes and answers, and a clean-up gets out of it', async () => {
    await disk.leave(GIB + 500 * MB);
    const url = await deploy(app('last'), 'last');
    const filler = `FROM node:24-slim\nRUN head -c 100000000 /dev/zero > /filler\n${CMD}\n`;
    await deploy(filler, 'filler');
    await disk.leave(0);
    expect(await disk.freeBytes()).toBe(0);
    for (let round = 0; round < 50; round += 1) expect((await berth.get(url)).status).toBe(200);
    await expect(deploy(app('never'), 'never')).rejects.toThrow(/DISK_FULL|ENOSPC/);
    await waitUntil(async () => {
      expect((await berth.get(url)).status).toBe(200);
      return (await gc()).freedBytes > 90 * MB;
    });
    expect((await berth.get(url)).status).toBe(200);
    await disk.leave(GIB + 500 * MB);
    expect((await berth.get(await deploy(app('after'), 'after'))).status).toBe(200);
    // Lines of the log were dropped, and that is in it.
    await expect.poll(() => readFile(berth.file('serve.log'), 'utf8')).toContain('log.lost');
  });

  test('a budget refuses on a disk with room enough', async () => {
    await disk.leave(2 * GIB);
    // What is there already is beyond the budget; of an image nobody knows the size before it is built.
    await deploy(app('cheap'), 'cheap');
    await berth.run('down');
    await berth.up('--storage', storage, ...OPTIONS, '--disk-budget', '100M');
    await expect(deploy(app('dear'), 'dear')).rejects.toThrow(/DISK_BUDGET.*its budget of 100 MB/s);
    expect((await usage()).budgetBytes).toBe(100 * MB);
    await berth.run('down');
    await berth.up('--storage', storage, ...OPTIONS);
    expect((await berth.get(await deploy(app('dear'), 'dear'))).status).toBe(200);
    expect(await readdir(disk.path)).toContain('berth');
  });
});
