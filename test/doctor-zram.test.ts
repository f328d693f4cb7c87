/** `berth doctor --fix zram` on the real host: a small device, for a moment, and everything as it was afterwards. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
/** Less than what the server takes for swap worth using: others on this host do not notice. */
const SIZE_MIB = 32;

let data: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'berth-doctor-'));
});
afterEach(async () => {
  await doctor('--undo', 'zram');
  await rm(data, { recursive: true, force: true });
});

function doctor(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const args = [join(root, 'src/main.ts'), '--data', data, 'doctor', ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const swaps = () => readFile('/proc/swaps', 'utf8');
const pageCluster = () => readFile('/proc/sys/vm/page-cluster', 'utf8');

test('adds what it was asked for, refuses a second time, and undoes it wholly', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('only root may add swap');
  if (!existsSync('/sys/class/zram-control')) skip('the kernel has no zram');
  const before = [await swaps(), await pageCluster()];
  if ((before[0] ?? '').trim().includes('\n')) skip('this host has swap');

  const fixed = await doctor('--fix', 'zram', '--size', String(SIZE_MIB), '--json');
  expect(fixed).toMatchObject({ code: 0, err: '' });
  const { device, bytes } = JSON.parse(fixed.out) as { device: string; bytes: number };
  expect(bytes).toBe(SIZE_MIB * 1024 ** 2);
  expect(await swaps()).toMatch(new RegExp(`^${device}\\s+partition\\s+\\d+\\s+\\d+\\s+100$`, 'm'));
  expect((await pageCluster()).trim()).toBe('0');

  const again = await doctor('--fix', 'zram');
  expect(again.code).toBe(1);
  expect(again.err).toContain('ZRAM_IMPOSSIBLE');
  expect(again.err).toContain('32 MiB of zram already');

  expect(await doctor('--undo', 'zram')).toMatchObject({
    code: 0,
    out: expect.stringContaining(`${device} is gone`),
  });
  expect([await swaps(), await pageCluster()]).toEqual(before);
  expect(existsSync(device)).toBe(false);
});

test('says so when there is nothing to undo, and changes nothing unless asked', async () => {
  const before = await swaps();
  expect(await doctor('--undo', 'zram')).toMatchObject({
    code: 0,
    out: expect.stringContaining('nothing to undo'),
  });
  await doctor();
  expect(await swaps()).toBe(before);
});
