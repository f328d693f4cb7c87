/** Proves what a folder uploads, and that everything unfit is refused before anything is read. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { checkManifest } from '../core/manifest.ts';
import { type ScanOptions, scanFolder } from './folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-folder-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Files by path; a path with a slash at the end is an empty folder, `-> x` as content a link. */
function put(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(path.endsWith('/') ? full : dirname(full), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), full);
    else if (!path.endsWith('/')) writeFileSync(full, content);
  }
}
const pathsOf = async (options?: ScanOptions) =>
  (await scanFolder(root, options)).manifest.map(({ path }) => path);
const failure = (options?: ScanOptions, folder = root) =>
  scanFolder(folder, options).then(
    () => undefined,
    (error: BerthError) => error,
  );

describe('a scan', () => {
  it('gives every file its mode, size and hash, sorted, and says where each content is', async () => {
    put({ b: 'same', 'a/x': 'same', 'a/run.sh': 'echo', Z: '' });
    chmodSync(join(root, 'a/run.sh'), 0o755);
    chmodSync(join(root, 'b'), 0o4640);
    const scan = await scanFolder(root);
    const sha = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(scan.manifest).toEqual([
      { kind: 'file', path: 'Z', mode: 0o644, bytes: 0, sha256: sha('') },
      { kind: 'file', path: 'a/run.sh', mode: 0o755, bytes: 4, sha256: sha('echo') },
      { kind: 'file', path: 'a/x', mode: 0o644, bytes: 4, sha256: sha('same') },
      { kind: 'file', path: 'b', mode: 0o640, bytes: 4, sha256: sha('same') },
    ]);
    expect(scan.bytes).toBe(12);
    expect(scan.files.size).toBe(3);
    expect(scan.files.get(sha('echo'))).toBe(join(root, 'a/run.sh'));
    expect(checkManifest(scan.manifest)).toEqual([]);
  });

  it('hashes files larger than its buffer', async () => {
    const content = Buffer.alloc(3 * 1024 * 1024 + 17, 'berth');
    writeFileSync(join(root, 'big'), content);
    const { manifest } = await scanFolder(root);
    expect(manifest[0]).toMatchObject({
      sha256: createHash('sha256').update(content).digest('hex'),
    });
  });

  it('keeps folders that would not appear by themselves, and links as links', async () => {
    put({
      'a/file': '',
      'empty/': '',
      'deep/empty/': '',
      link: '-> a/file',
      'a/up': '-> ../empty',
      gone: '-> nothing',
    });
    const { manifest } = await scanFolder(root);
    expect(manifest.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'file a/file',
      'symlink a/up',
      'directory deep/empty',
      'directory empty',
      'symlink gone',
      'symlink link',
    ]);
  });

  it('reports progress that ends with all files and bytes', async () => {
    put({ a: '1', b: '22', c: '333' });
    const seen: unknown[] = [];
    await scanFolder(root, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toHaveLength(3);
    expect(seen.at(-1)).toEqual({ files: 3, totalFiles: 3, bytes: 6, totalBytes: 6 });
  });

  it('stops when it is aborted', async () => {
    put({ a: '1' });
    await expect(scanFolder(root, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
  });

  it('of an empty folder is empty', async () => {
    expect(await scanFolder(root)).toMatchObject({
      manifest: [],
      bytes: 0,
      ignored: 0,
      ignoreFiles: [],
    });
  });
});

describe('what is left out', () => {
  it('is the history, and by default what is made again, private or rubbish', async () => {
    put({
      'index.js': '',
      '.env': '',
      '.git/HEAD': '',
      'sub/.git': 'gitdir: x',
      '.hg/a': '',
      '.svn/a': '',
      'node_modules/a/b.js': '',
      'sub/node_modules/c.js': '',
      '.DS_Store': '',
      'sub/.DS_Store': '',
      '.env.local': '',
      '.env.production.local': '',
      '.a.swp': '',
      '__pycache__/x.pyc': '',
      '.venv/x': '',
    });
    expect(await pathsOf()).toEqual(['.env', 'index.js', 'sub']);
  });

  it('follows .gitignore files in all folders when there is no other', async () => {
    put({
      '.gitignore': '*.log\n/dist\n',
      'a.log': '',
      'dist/x': '',
      'sub/dist/y': '',
      'sub/.gitignore': '!keep.log\nsecret',
      'sub/keep.log': '',
      'sub/b.log': '',
      'sub/secret': '',
    });
    const scan = await scanFolder(root);
    expect(scan.manifest.map(({ path }) => path)).toEqual([
      '.gitignore',
      'sub/.gitignore',
      'sub/dist/y',
      'sub/keep.log',
    ]);
    expect(scan.ignoreFiles).toEqual(['.gitignore']);
    expect(scan.ignored).toBe(4);
  });

  it('follows .dockerignore by Docker’s rules, and .gitignore no more', async () => {
    put({
      '.gitignore': 'dist\n',
      '.dockerignore': '# all\n*\n!dist\n!src/**/*.js\ndist/*.map\n',
      'dist/a.js': '',
      'dist/a.js.map': '',
      'src/deep/b.js': '',
      'src/deep/c.ts': '',
      'README.md': '',
      Dockerfile: 'FROM x',
    });
    expect(await pathsOf()).toEqual(['.dockerignore', 'Dockerfile', 'dist/a.js', 'src/deep/b.js']);
  });

  it('follows .berthignore before .nowignore, and .dockerignore besides', async () => {
    put({
      '.berthignore': 'one',
      '.nowignore': 'two',
      '.dockerignore': 'three',
      '.gitignore': 'four',
      one: '',
      two: '',
      three: '',
      four: '',
      'sub/one': '',
    });
    const scan = await scanFolder(root);
    expect(scan.manifest.map(({ path }) => path)).toEqual([
      '.berthignore',
      '.dockerignore',
      '.gitignore',
      '.nowignore',
      'four',
      'sub/one',
      'two',
    ]);
    expect(scan.ignoreFiles).toEqual(['.berthignore', '.dockerignore']);
  });

  it('follows .nowignore by git’s rules, as in 2018', async () => {
    put({
      '.nowignore': 'one',
      '.gitignore': 'two',
      one: '',
      two: '',
      'sub/one': '',
      'sub/two': '',
    });
    expect(await pathsOf()).toEqual(['.gitignore', '.nowignore', 'sub/two', 'two']);
  });

  it('follows .containerignore instead of .dockerignore, as the builder does', async () => {
    put({ '.containerignore': 'one', '.dockerignore': 'two', one: '', two: '' });
    expect(await pathsOf()).toEqual(['.containerignore', '.dockerignore', 'two']);
  });

  it('comes back in when a line says so', async () => {
    put({ '.dockerignore': '!node_modules\n', 'node_modules/a.js': '', '.git/x': '' });
    expect(await pathsOf()).toEqual(['.dockerignore', 'node_modules/a.js']);
  });

  it('is never the Dockerfile, wherever it is', async () => {
    put({ '.dockerignore': '*', Dockerfile: '', 'docker/prod/Dockerfile': '', 'docker/other': '' });
    expect(await pathsOf()).toEqual(['.dockerignore', 'Dockerfile']);
    expect(await pathsOf({ dockerfile: './docker/prod/Dockerfile' })).toEqual([
      '.dockerignore',
      'docker/prod/Dockerfile',
    ]);
    rmSync(join(root, '.dockerignore'));
    put({ '.gitignore': 'docker' });
    expect(await pathsOf({ dockerfile: 'docker/prod/Dockerfile' })).toEqual([
      '.gitignore',
      'Dockerfile',
      'docker/prod/Dockerfile',
    ]);
  });

  it('is everything that "files" does not name, whatever .gitignore says', async () => {
    put({
      '.gitignore': 'dist',
      '.berthignore': 'hello.png',
      Dockerfile: '',
      'hello.png': '',
      other: '',
      'dist/a': '',
      'dist/node_modules/b': '',
      'src/app/x': '',
      'src/lib/y': '',
      'node_modules/z/z.js': '',
      'node_modules/w/w.js': '',
    });
    const scan = await scanFolder(root, {
      files: ['hello.png', './dist/', 'src/app', 'node_modules/z', 'nothing'],
    });
    expect(scan.manifest.map(({ path }) => path)).toEqual([
      'Dockerfile',
      'dist/a',
      'hello.png',
      'node_modules/z/z.js',
      'src/app/x',
    ]);
    expect(scan.missing).toEqual(['nothing']);
  });

  it('lets an empty folder stay empty when all in it is left out', async () => {
    put({ '.gitignore': '*.tmp', 'uploads/a.tmp': '' });
    expect((await scanFolder(root)).manifest).toContainEqual({
      kind: 'directory',
      path: 'uploads',
      mode: 0o755,
    });
  });

  it('may be unfit without harm', async () => {
    put({ '.dockerignore': 'bad*', bad1: '-> /etc/passwd', 'bad2/x': '-> ../../../y' });
    execFileSync('mkfifo', [join(root, 'bad3')]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff)]), '');
    truncateSync(writeAndName('bad4'), 2 ** 31);
    expect(await pathsOf()).toEqual(['.dockerignore']);
  });

  it('can be said wrongly: the pattern is named', async () => {
    put({ '.dockerignore': 'fine\n[oops' });
    expect(await failure()).toMatchObject({
      code: 'CONFIG_INVALID',
      detail: expect.stringContaining('.dockerignore:2'),
    });
  });
});

describe('a folder is refused', () => {
  it.each<[string, () => unknown, string, string]>([
    ['that does not exist', () => join(root, 'nope'), 'FOLDER_NOT_FOUND', 'does not exist'],
    ['that is a file', () => writeAndName('file'), 'FOLDER_NOT_FOUND', 'is a file'],
    ['below a file', () => join(writeAndName('file'), 'x'), 'FOLDER_NOT_FOUND', 'does not exist'],
    [
      'with a link out',
      () => put({ 'a/out': '-> ../../x' }),
      'UPLOAD_SYMLINK',
      'a/out is a symbolic link to "../../x"',
    ],
    [
      'with an absolute link',
      () => put({ out: '-> /etc/passwd' }),
      'UPLOAD_SYMLINK',
      'leads out of the folder',
    ],
    [
      'with a link out by way of another',
      () => put({ 'a/b/c': '-> ../..', out: '-> a/b/c/..' }),
      'UPLOAD_SYMLINK',
      'out is a symbolic link',
    ],
    [
      'with a named pipe',
      () => execFileSync('mkfifo', [join(root, 'pipe')]),
      'UPLOAD_FILE_KIND',
      'pipe is a named pipe',
    ],
    ['with a backslash in a name', () => put({ 'a\\b': '' }), 'UPLOAD_PATH', 'backslash'],
    [
      'with a line break in a name',
      () => put({ 'a\nb': '' }),
      'UPLOAD_PATH',
      '"a\\nb" has a control character',
    ],
    [
      'with a name that is not UTF-8',
      () => writeFileSync(Buffer.concat([Buffer.from(`${root}/a`), Buffer.of(0xff)]), ''),
      'UPLOAD_PATH',
      'not UTF-8',
    ],
    [
      'with a path that is too long',
      () =>
        put({
          [`${'a'.repeat(200)}/`.repeat(5)]: '',
          [`${'a'.repeat(200)}/`.repeat(5) + 'b'.repeat(30)]: '',
        }),
      'UPLOAD_PATH',
      'at most 1024',
    ],
    [
      'with a huge file',
      () => truncateSync(writeAndName('holes.bin'), 2 ** 31),
      'UPLOAD_TOO_LARGE',
      'holes.bin is 2 GiB: at most 512 MiB',
    ],
  ])('%s', async (_name, prepare, code, message) => {
    const made = prepare();
    const folder = typeof made === 'string' ? made : root;
    expect(await failure({}, folder)).toMatchObject({
      code,
      detail: expect.stringContaining(message),
    });
  });

  it('with a socket', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(join(root, 's'), listening));
    try {
      expect(await failure()).toMatchObject({ code: 'UPLOAD_FILE_KIND', detail: 's is a socket' });
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  });

  it('when it is too large in all, naming the largest files, without reading them', async () => {
    for (let index = 0; index < 5; index += 1) {
      truncateSync(writeAndName(`part${index}`), BOUNDS.uploadFileBytes - index);
    }
    expect(await failure()).toMatchObject({
      code: 'UPLOAD_TOO_LARGE',
      detail: expect.stringMatching(/together are 2\.5 GiB.*part0 \(512 MiB\), part1/),
    });
  });

  it('naming all reasons at once', async () => {
    put({ out: '-> /x', 'a\\b': '' });
    expect((await failure())?.problems.map(({ at }) => at).toSorted()).toEqual(['a\\b', 'out']);
  });

  it('when a file changes while it is read', async () => {
    const path = writeAndName('a');
    put({ b: 'x' });
    // The first progress comes when one file is read; the other grows before its turn can be over.
    const big = Buffer.alloc(32 * 1024 * 1024);
    writeFileSync(path, big);
    let isChanged = false;
    const error = await failure({
      onProgress: () => {
        if (!isChanged) writeFileSync(path, Buffer.alloc(1));
        isChanged = true;
      },
    });
    expect(error).toMatchObject({ code: 'UPLOAD_MISMATCH', detail: 'a changed while it was read' });
  });
});

function writeAndName(name: string): string {
  const path = join(root, name);
  writeFileSync(path, '');
  return path;
}
