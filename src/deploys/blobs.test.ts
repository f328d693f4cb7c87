/** Proves that blobs are what their names say, that failures leave nothing, and that files land in their folder only. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BerthError } from '../core/errors.ts';
import type { Manifest } from '../core/model.ts';
import { systemClock } from '../system/clock.ts';
import { systemRandom } from '../system/random.ts';
import { blobPath, openBlobs } from './blobs.ts';
import { fill, folderWork } from './folder-work.ts';
import { openFolders } from './folders.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-blobs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const hash = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof BerthError ? error.code : error),
  );
const allFiles = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );

/** A folder of blobs with the real thread beside it. */
async function open(root = join(folder, 'blobs'), now = () => systemClock.now()) {
  const blobs = await openBlobs(root, systemRandom);
  const folders = openFolders(root, { ...systemClock, now });
  onTestFinished(() => folders.close());
  const keep = async (text: string) => {
    await blobs.write(hash(text), Readable.from([Buffer.from(text)]), text.length * 2);
    return hash(text);
  };
  const announce = async (manifest: Manifest) => {
    const body = new TextEncoder().encode(JSON.stringify({ manifest }));
    const answer = new TextDecoder().decode(await folders.announce(body));
    return JSON.parse(answer) as { manifest: string; missing: string[] };
  };
  return { root, blobs, folders, keep, announce };
}

const fileOf = (path: string, text: string) =>
  ({
    kind: 'file',
    path,
    mode: 0o644,
    bytes: Buffer.byteLength(text),
    sha256: hash(text),
  }) as const;

describe('a blob', () => {
  test('is kept under its hash and missing until then', async () => {
    const { blobs, announce } = await open();
    const manifest = [fileOf('a', 'hello'), fileOf('b', 'hello')];
    expect((await announce(manifest)).missing).toEqual([hash('hello')]);
    const parts = Readable.from(['hel', 'lo'].map((part) => Buffer.from(part)));
    await blobs.write(hash('hello'), parts, 5);
    expect((await announce(manifest)).missing).toEqual([]);
    expect(await blobs.readText(hash('hello'))).toBe('hello');
    expect(await blobs.readText(hash('other'))).toBeUndefined();
  });

  test('that was cut short by a power loss counts as missing', async () => {
    const { root, keep, announce } = await open();
    await truncate(blobPath(root, await keep('hello')), 3);
    expect((await announce([fileOf('a', 'hello')])).missing).toEqual([hash('hello')]);
  });

  test('with other content, too many bytes or a broken stream leaves nothing', async () => {
    const { blobs } = await open();
    const write = (name: string, content: Readable) => codeOf(blobs.write(hash(name), content, 10));
    expect(await write('right', Readable.from([Buffer.from('wrong')]))).toBe('UPLOAD_MISMATCH');
    const large = Readable.from([Buffer.alloc(8), Buffer.alloc(8)]);
    expect(await write('x', large)).toBe('UPLOAD_TOO_LARGE');
    const broken = new Readable({ read() {} });
    const failed = write('y', broken);
    broken.push('part');
    broken.destroy(new Error('gone'));
    expect(String(await failed)).toContain('gone');
    expect(await allFiles()).toEqual([]);
  });

  test('of which only a part was written before a crash is cleared at the next start', async () => {
    await open();
    await writeFile(join(folder, 'blobs', 'unfinished', 'part'), 'x');
    await open();
    expect(await allFiles()).toEqual([]);
  });

  test('is swept when no deployment has it and no upload asked for it lately', async () => {
    let now = systemClock.now();
    const { folders, keep, announce, blobs } = await open(undefined, () => now);
    for (const text of ['a', 'b', 'c']) await keep(text);
    const kept = await announce([fileOf('kept', 'a')]);
    expect((await folders.sweep([], 1_000)).count).toBe(0);
    now += 5_000;
    const asked = await announce([fileOf('asked', 'b')]);
    // Of what was announced long ago, only the manifest that a deployment has stays, and its file; `c` goes.
    expect((await folders.sweep([kept.manifest], 1_000, true)).count).toBe(1);
    expect((await folders.sweep([kept.manifest], 1_000)).count).toBe(1);
    const names = [kept.manifest, asked.manifest, hash('a'), hash('b'), hash('c')];
    const left = await Promise.all(names.map((name) => blobs.readText(name)));
    expect(left.map((text) => text !== undefined)).toEqual([true, true, true, true, false]);
  });
});

test('a hundred thousand files are announced and examined without holding up the thread that asks', async () => {
  const { root, folders, announce } = await open();
  const manifest = Array.from({ length: 100_000 }, (_, index) =>
    fileOf(`folder-${index % 100}/file-${index}`, String(index % 1_000)),
  );
  const body = new TextEncoder().encode(JSON.stringify({ manifest }));
  // The measure: how long the same work would hold this thread up.
  const began = systemClock.now();
  folderWork(root).announce(body, began);
  const workMs = systemClock.now() - began;
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const answer = await folders.announce(body);
  lag.disable();
  const answered = JSON.parse(new TextDecoder().decode(answer)) as {
    manifest: string;
    missing: string[];
  };
  expect(answered.missing).toHaveLength(1_000);
  const examined = await folders.examine(answered.manifest, 'folder-1/file-1');
  expect(examined).toMatchObject({ files: 100_000, missingCount: 1_000, file: { bytes: 1 } });
  expect(examined.missing).toHaveLength(100);
  expect(lag.max / 1e6).toBeLessThan(workMs / 2);
  await expect(announce([{ ...fileOf('a', 'b'), path: '../a' }])).rejects.toMatchObject({
    code: 'UPLOAD_PATH',
    problems: [{ at: '../a' }],
  });
});

describe.runIf(process.getuid?.() === 0)('a disk that is full', () => {
  const mountPoint = () => join(folder, 'small');
  beforeEach(async () => {
    await mkdir(mountPoint());
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mountPoint()]);
  });
  afterEach(() => void execFileSync('umount', [mountPoint()]));

  test('fails the upload and the layout of a build with its code, and what was begun is gone', async () => {
    const { blobs, folders, keep, announce, root } = await open(join(mountPoint(), 'blobs'));
    const large = Buffer.alloc(512 * 1024, 1);
    const written = blobs.write(hash(large), Readable.from([large]), large.length);
    expect(await codeOf(written)).toBe('DISK_FULL');
    expect(await readdir(join(root, 'unfinished'))).toEqual([]);

    const half = 'x'.repeat(160 * 1024);
    await keep(half);
    const { manifest } = await announce([fileOf('a', half)]);
    const context = join(mountPoint(), 'context');
    expect(await codeOf(folders.layOut(manifest, context))).toBe('DISK_FULL');
    expect(await readdir(mountPoint())).toEqual(['blobs']);
  });
});

describe('the folder of a build', () => {
  test('has exactly the files, modes and links of the manifest', async () => {
    const { folders, keep, announce } = await open();
    const text = '#!/bin/sh\n';
    await keep(text);
    const { manifest } = await announce([
      { kind: 'directory', path: 'empty', mode: 0o750 },
      { kind: 'symlink', path: 'link', target: 'sub/run' },
      { ...fileOf('sub/deep/ü', text), mode: 0o600 },
      { ...fileOf('sub/run', text), mode: 0o755 },
    ]);
    const context = join(folder, 'context');
    await mkdir(context);
    await writeFile(join(context, 'left over'), '');
    await folders.layOut(manifest, context);
    expect((await readdir(context, { recursive: true })).toSorted()).toEqual([
      'empty',
      'link',
      'sub',
      'sub/deep',
      'sub/deep/ü',
      'sub/run',
    ]);
    const modeOf = async (path: string) => (await stat(join(context, path))).mode & 0o777;
    expect(await modeOf('sub/run')).toBe(0o755);
    expect(await modeOf('sub/deep/ü')).toBe(0o600);
    expect(await modeOf('empty')).toBe(0o750);
    expect(await readlink(join(context, 'link'))).toBe('sub/run');
    expect(await readFile(join(context, 'link'), 'utf8')).toBe(text);
  });

  test('is not there at all when a file of it is gone', async () => {
    const { root, folders, keep, announce } = await open();
    for (const text of ['a', 'b']) await keep(text);
    const { manifest } = await announce([fileOf('a', 'a'), fileOf('b', 'b')]);
    await rm(blobPath(root, hash('b')));
    const context = join(folder, 'context');
    expect(await codeOf(folders.layOut(manifest, context))).toBe('DEPLOY_INTERRUPTED');
    expect(await readdir(folder)).toEqual(['blobs']);
    await rm(blobPath(root, manifest));
    expect(await codeOf(folders.layOut(manifest, context))).toBe('UPLOAD_INCOMPLETE');
  });

  test('keeps a hostile manifest that slipped through its check from writing outside or over anything', async () => {
    const { root, keep } = await open();
    await keep('evil');
    const outside = join(folder, 'outside');
    await mkdir(outside);
    const hostile: readonly Manifest[] = [
      [{ kind: 'symlink', path: 'a', target: outside }, fileOf('a/evil', 'evil')],
      [{ kind: 'symlink', path: 'evil', target: join(outside, 'evil') }, fileOf('evil', 'evil')],
      [fileOf('x', 'evil'), fileOf('x', 'evil')],
    ];
    for (const [index, manifest] of hostile.entries()) {
      const context = join(folder, `context-${index}`);
      expect(() => fill(context, manifest, (sha256) => blobPath(root, sha256))).toThrow('EEXIST');
      expect(await readdir(outside)).toEqual([]);
    }
  });
});

test('work asked for after the end, or under way at the end, is refused rather than left waiting', async () => {
  const { folders, announce } = await open();
  const { manifest } = await announce([]);
  const underWay = codeOf(folders.examine(manifest, 'Dockerfile'));
  await folders.close();
  expect(await underWay).toBe('SHUTTING_DOWN');
  expect(await codeOf(folders.examine(manifest, 'Dockerfile'))).toBe('SHUTTING_DOWN');
});
