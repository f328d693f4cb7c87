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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BerthError } from '../core/errors.ts';
import type { Manifest } from '../core/model.ts';
import { systemClock } from '../system/clock.ts';
import { systemRandom } from '../system/random.ts';
import { openBlobs } from './blobs.ts';
import { materialise } from './materialise.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-blobs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (now = systemClock.now) =>
  openBlobs(join(folder, 'blobs'), { ...systemClock, now }, systemRandom);
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

describe('a blob', () => {
  test('is kept under its hash and missing until then', async () => {
    const blobs = await open();
    const name = { sha256: hash('hello'), bytes: 5 };
    expect(await blobs.missing([name, name])).toEqual([name.sha256]);
    await blobs.write(
      name.sha256,
      Readable.from(['hel', 'lo'].map((part) => Buffer.from(part))),
      5,
    );
    expect(await blobs.missing([name])).toEqual([]);
    expect(await blobs.readText(name.sha256)).toBe('hello');
    expect(await blobs.readText(hash('other'))).toBeUndefined();
  });

  test('that was cut short by a power loss counts as missing', async () => {
    const blobs = await open();
    const sha256 = await blobs.writeText('hello');
    await truncate(blobs.path(sha256), 3);
    expect(await blobs.missing([{ sha256, bytes: 5 }])).toEqual([sha256]);
  });

  test('with other content, too many bytes or a broken stream leaves nothing', async () => {
    const blobs = await open();
    const write = (name: string, content: Readable) => codeOf(blobs.write(hash(name), content, 10));
    expect(await write('right', Readable.from([Buffer.from('wrong')]))).toBe('UPLOAD_MISMATCH');
    expect(await write('x', Readable.from([Buffer.alloc(8), Buffer.alloc(8)]))).toBe(
      'UPLOAD_TOO_LARGE',
    );
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

  test('is swept when nothing needs it and no upload asked for it lately', async () => {
    let now = systemClock.now();
    const blobs = await open(() => now);
    const [kept, asked, idle] = [
      await blobs.writeText('a'),
      await blobs.writeText('b'),
      await blobs.writeText('c'),
    ];
    expect(await blobs.sweep(new Set(), 1_000)).toBe(0);
    now += 5_000;
    await blobs.missing([{ sha256: asked, bytes: 1 }]);
    expect(await blobs.sweep(new Set([kept]), 1_000)).toBe(1);
    expect(await Promise.all([kept, asked, idle].map((name) => blobs.readText(name)))).toEqual([
      'a',
      'b',
      undefined,
    ]);
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
    const blobs = await openBlobs(join(mountPoint(), 'blobs'), systemClock, systemRandom);
    const large = Buffer.alloc(512 * 1024, 1);
    expect(await codeOf(blobs.write(hash(large), Readable.from([large]), large.length))).toBe(
      'DISK_FULL',
    );
    expect(await readdir(join(mountPoint(), 'blobs', 'unfinished'))).toEqual([]);

    const half = 'x'.repeat(160 * 1024);
    const sha256 = await blobs.writeText(half);
    const manifest: Manifest = [
      { kind: 'file', path: 'a', mode: 0o644, bytes: half.length, sha256 },
    ];
    expect(await codeOf(materialise(manifest, blobs, join(mountPoint(), 'context')))).toBe(
      'DISK_FULL',
    );
    expect(await readdir(mountPoint())).toEqual(['blobs']);
  });
});

describe('the folder of a build', () => {
  test('has exactly the files, modes and links of the manifest', async () => {
    const blobs = await open();
    const sha256 = await blobs.writeText('#!/bin/sh\n');
    const manifest: Manifest = [
      { kind: 'directory', path: 'empty', mode: 0o750 },
      { kind: 'symlink', path: 'link', target: 'sub/run' },
      { kind: 'file', path: 'sub/deep/ü', mode: 0o600, bytes: 10, sha256 },
      { kind: 'file', path: 'sub/run', mode: 0o755, bytes: 10, sha256 },
    ];
    const context = join(folder, 'context');
    await mkdir(context);
    await writeFile(join(context, 'left over'), '');
    await materialise(manifest, blobs, context);
    expect((await readdir(context, { recursive: true })).toSorted()).toEqual([
      'empty',
      'link',
      'sub',
      'sub/deep',
      'sub/deep/ü',
      'sub/run',
    ]);
    expect((await stat(join(context, 'sub/run'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(context, 'sub/deep/ü'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(context, 'empty'))).mode & 0o777).toBe(0o750);
    expect(await readlink(join(context, 'link'))).toBe('sub/run');
    expect(await readFile(join(context, 'link'), 'utf8')).toBe('#!/bin/sh\n');
  });

  test('keeps a hostile manifest that slipped through its check from writing outside or over anything', async () => {
    const blobs = await open();
    const sha256 = await blobs.writeText('evil');
    const outside = join(folder, 'outside');
    await mkdir(outside);
    const hostile: readonly Manifest[] = [
      [
        { kind: 'symlink', path: 'a', target: outside },
        { kind: 'file', path: 'a/evil', mode: 0o644, bytes: 4, sha256 },
      ],
      [
        { kind: 'symlink', path: 'evil', target: join(outside, 'evil') },
        { kind: 'file', path: 'evil', mode: 0o644, bytes: 4, sha256 },
      ],
      [
        { kind: 'file', path: 'x', mode: 0o644, bytes: 4, sha256 },
        { kind: 'file', path: 'x', mode: 0o644, bytes: 4, sha256 },
      ],
    ];
    for (const manifest of hostile) {
      await expect(materialise(manifest, blobs, join(folder, 'context'))).rejects.toThrow('EEXIST');
      expect(await readdir(outside)).toEqual([]);
      expect(await readdir(folder)).not.toContain('context');
    }
  });
});
