/** Proves which branch a deploy is a preview of, from git's own files. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { previewBranch } from './git-branch.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-branch-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function repository(name: string, head: string): Promise<string> {
  const place = join(folder, name);
  await mkdir(join(place, '.git'), { recursive: true });
  await writeFile(join(place, '.git', 'HEAD'), head);
  return place;
}

it('is the branch of the folder or of the nearest above it that git knows', async () => {
  const place = await repository('one', 'ref: refs/heads/Feature/new-cart\n');
  const inner = join(place, 'apps/shop');
  await mkdir(inner, { recursive: true });
  expect(await previewBranch(place)).toBe('Feature/new-cart');
  expect(await previewBranch(inner)).toBe('Feature/new-cart');
});

it('is none on main and master, without a branch, and outside of git', async () => {
  expect(await previewBranch(await repository('main', 'ref: refs/heads/main\n'))).toBeUndefined();
  expect(await previewBranch(await repository('old', 'ref: refs/heads/master\n'))).toBeUndefined();
  expect(await previewBranch(await repository('off', `${'a1'.repeat(20)}\n`))).toBeUndefined();
  expect(await previewBranch(folder)).toBeUndefined();
});

it('is that of a work tree, where git leaves a file instead of a folder', async () => {
  const main = await repository('with-trees', 'ref: refs/heads/main\n');
  const tree = join(main, '.git/worktrees/cart');
  await mkdir(tree, { recursive: true });
  await writeFile(join(tree, 'HEAD'), 'ref: refs/heads/cart\n');
  const place = join(folder, 'cart');
  await mkdir(place);
  await writeFile(join(place, '.git'), `gitdir: ${tree}\n`);
  expect(await previewBranch(place)).toBe('cart');
});
