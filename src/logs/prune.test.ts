/** Keeping the logs of ended instances within bounds. */
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../system/clock.ts';
import { openLogs } from './open.ts';
import type { Retention } from './prune.ts';
import { A, DEPLOYMENT, fresh, lines, MORNING } from './fixtures/fresh.ts';

describe('Keeping within bounds', () => {
  /** Files of 100 lines that ended one after another, `f0` first. */
  async function ended(count: number, retention?: Retention) {
    const { folder, logs: whole } = await fresh();
    const logs = retention ? openLogs({ folder, clock: systemClock, retention }) : whole;
    for (let index = 0; index < count; index += 1) {
      const file = await logs.fileFor(DEPLOYMENT, `f${index}`);
      await writeFile(file, 'x'.repeat(1_000));
      await utimes(file, MORNING / 1_000, MORNING / 1_000 + index);
    }
    const left = async () => (await readdir(join(folder, DEPLOYMENT))).toSorted();
    return { logs, left };
  }

  it('keeps the newest files of ended instances, and all of those that run', async () => {
    const { logs, left } = await ended(10, { maxFiles: 3, maxBytes: 1_000_000 });
    await logs.prune(DEPLOYMENT, ['f0', 'f5']);
    expect(await left()).toStrictEqual(['f0.log', 'f5.log', 'f7.log', 'f8.log', 'f9.log']);
    await logs.prune(DEPLOYMENT, ['f0', 'f5']);
    expect(await left()).toHaveLength(5);
  });

  it('keeps as many bytes as are allowed, and always the newest', async () => {
    const some = await ended(6, { maxFiles: 20, maxBytes: 2_500 });
    await some.logs.prune(DEPLOYMENT, []);
    expect(await some.left()).toStrictEqual(['f4.log', 'f5.log']);
    const few = await ended(6, { maxFiles: 20, maxBytes: 10 });
    await few.logs.prune(DEPLOYMENT, []);
    expect(await few.left()).toStrictEqual(['f5.log']);
  });

  it('keeps 20 unless told otherwise, and leaves files that are not logs', async () => {
    const { logs, left } = await ended(25);
    const folder = join(await logs.fileFor(DEPLOYMENT, A), '..');
    await writeFile(join(folder, 'notes.txt'), '');
    await mkdir(join(folder, 'sub'));
    await logs.prune(DEPLOYMENT, []);
    expect(await left()).toHaveLength(22);
  });

  it('removes all logs of a deployment, also when there are none', async () => {
    const { folder, logs } = await fresh();
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 1));
    await writeFile(await logs.fileFor('other-1', A), lines(0, 1));
    await logs.remove(DEPLOYMENT);
    await logs.remove(DEPLOYMENT);
    await logs.prune(DEPLOYMENT, []);
    expect(await readdir(folder)).toStrictEqual(['other-1']);
  });
});
