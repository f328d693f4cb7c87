/** Proves that lines arrive in order, and that a full disk costs lines and nothing else. */
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from './clock.ts';
import { openLineWriter } from './line-writer.ts';

const lost = (batches: number) => `lost ${batches}\n`;

async function openLog() {
  const folder = await mkdtemp(join(tmpdir(), 'berth-lines-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'log');
  const fd = openSync(file, 'a');
  onTestFinished(() => closeSync(fd));
  const writer = openLineWriter(fd, systemClock, lost);
  return { file, writer };
}

test('lines arrive whole and in order, also those of the last moment', async () => {
  const { file, writer } = await openLog();
  const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`);
  for (const line of lines.slice(0, 4_000)) writer.write(line);
  await expect.poll(() => readFileSync(file, 'utf8')).toBe(lines.slice(0, 4_000).join(''));
  for (const line of lines.slice(4_000)) writer.write(line);
  await expect.poll(() => readFileSync(file, 'utf8')).toBe(lines.join(''));
  writer.write('last\n');
  writer.close();
  expect(readFileSync(file, 'utf8')).toBe(`${lines.join('')}last\n`);
});

test('where there is no room the thread goes on, and memory does not grow', async () => {
  const fd = openSync('/dev/full', constants.O_WRONLY);
  onTestFinished(() => closeSync(fd));
  const writer = openLineWriter(fd, systemClock, lost);
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 50; round += 1) {
    for (let index = 0; index < 2_000; index += 1) writer.write(`${'x'.repeat(500)}\n`);
    await systemClock.sleep(1);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024);
  writer.close();
});

test('lines of any length and of any script stay whole', async () => {
  const { file, writer } = await openLog();
  const lines = ['x', 'é', '茶', '🛥'].flatMap((sign) =>
    [1, 21_845, 21_846, 65_536, 300_000].map((length) => `${sign.repeat(length)}\n`),
  );
  for (const line of lines) writer.write(line);
  await expect.poll(() => readFileSync(file, 'utf8').length).toBe(lines.join('').length);
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  writer.close();
});

test('what was lost for want of room is told with the first lines that find some', async () => {
  const { file, writer } = await openLog();
  // All in one turn of the event loop: nothing can be written meanwhile.
  const line = `${'x'.repeat(1_023)}\n`;
  for (let index = 0; index < 10_000; index += 1) writer.write(line);
  await systemClock.sleep(300);
  writer.write('after\n');
  writer.close();
  const text = readFileSync(file, 'utf8');
  const [count] = /lost (\d+)/.exec(text)?.slice(1) ?? [];
  expect(Number(count)).toBeGreaterThan(0);
  const kept = text.split('\n').filter((one) => one.startsWith('x'));
  expect(kept.length + Number(count)).toBe(10_000);
  expect(text.endsWith('after\n')).toBe(true);
});
