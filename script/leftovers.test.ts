/** The check for leftovers finds what a run made and nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leftovers, processesOf } from './leftovers.ts';

test('names what came, with its kind, and not what was there or went', () => {
  expect(
    leftovers(
      { container: ['theirs', 'gone'], network: ['podman'] },
      { container: ['theirs', 'ours'], network: ['podman'], process: ['7 sleep'] },
    ),
  ).toEqual(['container ours', 'process 7 sleep']);
});

test('does not name the empty folders that the engine keeps', () => {
  expect(leftovers({}, { cgroup: ['libpod_parent', 'libpod_parent/libpod-1'] })).toEqual([
    'cgroup libpod_parent/libpod-1',
  ]);
});

test('finds a process of the run by its environment, its command line and its working directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leftovers-'));
  const wait = 'process.stdin.resume(); console.log(1)';
  const { TMPDIR: _, ...clean } = process.env;
  const children = [
    spawn(process.execPath, ['-e', wait], { env: { ...clean, TMPDIR: folder }, detached: true }),
    spawn(process.execPath, ['-e', wait, folder], { env: clean }),
    spawn(process.execPath, ['-e', wait], { env: clean, cwd: folder }),
    spawn(process.execPath, ['-e', wait], { env: clean, cwd: '/' }),
  ];
  const ends = children.map((child) => once(child, 'exit'));
  try {
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    const pids = (await processesOf(folder)).map((line) => Number(line.split(' ')[0]));
    expect(new Set(pids)).toEqual(new Set(children.slice(0, 3).map((child) => child.pid)));
  } finally {
    for (const child of children) child.kill();
    await Promise.all(ends);
    await rm(folder, { recursive: true });
  }
});
