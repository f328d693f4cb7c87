/** Logs in real files: reading, following while others write, keeping within bounds. */
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LogLine } from '../ports/logs.ts';
import { systemClock } from '../system/clock.ts';
import { MAX_LINE_BYTES } from './assemble.ts';
import { formatLogLine } from './format.ts';
import { type KeptLogs, openLogs } from './open.ts';
import { readTail } from './tail.ts';
import { type WatchFolder, watchFolder } from './watch.ts';

const DEPLOYMENT = 'hello-1a2b3c4d';
const A = 'hello-1a2b3c4d.aaaaaa';
const B = 'hello-1a2b3c4d.bbbbbb';
const MORNING = Date.UTC(2026, 10, 21, 9);

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-logs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function fresh(watch: WatchFolder = watchFolder) {
  const folder = join(await temporaryFolder(), 'logs');
  const logs = openLogs({ folder, clock: systemClock, watch });
  return { folder, logs };
}

/** One line `<text>` per number, a second apart, from `first` on. */
function lines(first: number, count: number, text = 'line'): string {
  return Array.from({ length: count }, (_, index) =>
    formatLogLine(MORNING + (first + index) * 1_000, 'stdout', `${text} ${first + index}`),
  ).join('');
}

const texts = (found: readonly LogLine[]) => found.map(({ text }) => text);

/** Follows until the test ends, or until stopped. */
function following(logs: KeptLogs, query: Parameters<KeptLogs['follow']>[1] = {}) {
  const seen: LogLine[] = [];
  const stop = new AbortController();
  const done = logs.follow(DEPLOYMENT, query, (line) => void seen.push(line), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await done;
  });
  const until = (count: number) =>
    vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(count), {
      timeout: 30_000,
      interval: 5,
    });
  return { seen, stop, done, until };
}

describe('The file of an instance', () => {
  it('lies in a folder that only we may read', async () => {
    const { folder, logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    expect(file).toBe(join(folder, DEPLOYMENT, `${A}.log`));
    expect((await stat(join(folder, DEPLOYMENT))).mode & 0o777).toBe(0o700);
  });

  it.each(['', '.', '..', '../x', 'a/b', '/etc', '.hidden', 'a\0b', 'a b', 'x'.repeat(300)])(
    'is never elsewhere: the id %j is refused everywhere',
    async (id) => {
      const { folder, logs } = await fresh();
      const beside = join(folder, '..', 'beside.log');
      await writeFile(beside, lines(0, 1));
      const refused = { code: 'INVALID_INPUT' };
      const { signal } = new AbortController();
      await expect(logs.fileFor(id, A)).rejects.toMatchObject(refused);
      await expect(logs.fileFor(DEPLOYMENT, id)).rejects.toMatchObject(refused);
      await expect(logs.read(id, {})).rejects.toMatchObject(refused);
      await expect(logs.read(DEPLOYMENT, { instanceId: id })).rejects.toMatchObject(refused);
      await expect(logs.follow(id, {}, () => {}, signal)).rejects.toMatchObject(refused);
      await expect(
        logs.follow(DEPLOYMENT, { instanceId: id }, () => {}, signal),
      ).rejects.toMatchObject(refused);
      await expect(logs.remove(id)).rejects.toMatchObject(refused);
      await expect(logs.prune(id, [])).rejects.toMatchObject(refused);
      expect(await stat(beside)).toBeDefined();
    },
  );

  it('cannot be made where a file stands in the way, and the error says so', async () => {
    const { folder, logs } = await fresh();
    await writeFile(folder, '');
    await expect(logs.fileFor(DEPLOYMENT, A)).rejects.toMatchObject({ code: 'DATA_FOLDER' });
    await expect(logs.read(DEPLOYMENT, {})).rejects.toMatchObject({ code: 'DATA_FOLDER' });
  });
});

describe('Reading', () => {
  it('gives nothing for a deployment or an instance that wrote nothing', async () => {
    const { logs } = await fresh();
    expect(await logs.read(DEPLOYMENT, {})).toStrictEqual([]);
    await logs.fileFor(DEPLOYMENT, A);
    expect(await logs.read(DEPLOYMENT, { instanceId: A })).toStrictEqual([]);
  });

  it('merges the instances by time', async () => {
    const { logs } = await fresh();
    const write = async (id: string, at: number, stream: 'stdout' | 'stderr', text: string) =>
      appendFile(await logs.fileFor(DEPLOYMENT, id), formatLogLine(MORNING + at, stream, text));
    await write(A, 1, 'stdout', 'first');
    await write(B, 1.0005, 'stderr', 'second');
    await write(A, 3, 'stdout', 'fourth');
    await write(B, 2, 'stdout', 'third');
    const all = await logs.read(DEPLOYMENT, {});
    expect(texts(all)).toStrictEqual(['first', 'second', 'third', 'fourth']);
    expect(all[1]).toMatchObject({ instanceId: B, stream: 'stderr' });
    expect(texts(await logs.read(DEPLOYMENT, { instanceId: B }))).toStrictEqual([
      'second',
      'third',
    ]);
  });

  it('gives the newest, those since a time, or both, over all instances', async () => {
    const { logs } = await fresh();
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 50, 'a'));
    await writeFile(await logs.fileFor(DEPLOYMENT, B), lines(50, 50, 'b'));
    const since = MORNING + 48_000;
    expect(texts(await logs.read(DEPLOYMENT, { tail: 2 }))).toStrictEqual(['b 98', 'b 99']);
    expect(await logs.read(DEPLOYMENT, { tail: 0 })).toStrictEqual([]);
    expect(await logs.read(DEPLOYMENT, { tail: 1_000 })).toHaveLength(100);
    expect(texts(await logs.read(DEPLOYMENT, { since })).slice(0, 3)).toStrictEqual([
      'a 48',
      'a 49',
      'b 50',
    ]);
    expect(await logs.read(DEPLOYMENT, { since })).toHaveLength(52);
    expect(texts(await logs.read(DEPLOYMENT, { since, tail: 1 }))).toStrictEqual(['b 99']);
  });

  it('gives the last words of an app that wrote no line end', async () => {
    const { logs } = await fresh();
    const partial = formatLogLine(MORNING, 'stderr', 'Segmentation fau').replace(' F ', ' P ');
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(-1, 1) + partial);
    expect(texts(await logs.read(DEPLOYMENT, { tail: 1 }))).toStrictEqual(['Segmentation fau']);
  });

  it('gives the end of a large file without reading its beginning', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, '');
    // A hole of 4 GiB: whoever reads it all will be noticed.
    await truncate(file, 4 * 1024 ** 3);
    await appendFile(file, `\n${lines(0, 2_000)}`);
    const found = await logs.read(DEPLOYMENT, { tail: 1_500 });
    expect(texts(found)).toStrictEqual(
      Array.from({ length: 1_500 }, (_, index) => `line ${500 + index}`),
    );
  });

  it('is the same from the end as from the start, whatever the lines and the size of the window', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    const piece = fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      tag: fc.constantFrom('F', 'P'),
      text: fc.oneof(fc.string({ maxLength: 40 }), fc.constant('x'.repeat(300))),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 40 }),
        fc.nat(45),
        fc.integer({ min: 1, max: 500 }),
        fc.option(fc.nat(40), { nil: -Infinity }),
        fc.nat(60),
        async (pieces, tail, window, sinceIndex, missing) => {
          const records = pieces.map(({ stream, tag, text }, index) =>
            formatLogLine(MORNING + index, stream, text.replaceAll('\n', ' ')).replace(
              ' F ',
              ` ${tag} `,
            ),
          );
          const bytes = Buffer.from(records.join(''));
          const end = Math.max(0, bytes.length - missing);
          await writeFile(file, bytes.subarray(0, end));
          await using handle = await open(file);
          const since = MORNING + sinceIndex;
          const whole = await readTail(handle, { tail: 1_000, since: -Infinity }, 1_000_000);
          const found = await readTail(handle, { tail, since }, window);
          const wanted = whole.lines.filter(({ at }) => at >= since);
          expect(found.lines).toStrictEqual(tail === 0 ? [] : wanted.slice(-tail));
          expect(found.end).toBe(end);

          // And what is written later is understood in the same way, but for a beginning far back.
          const rest = bytes.subarray(end);
          const later = [...found.assembler.push(rest), ...found.assembler.flush()];
          const laterWhole = [...whole.assembler.push(rest), ...whole.assembler.flush()];
          for (const line of later) {
            const same = laterWhole.find(
              ({ at, stream }) => at === line.at && stream === line.stream,
            );
            expect(same?.text.endsWith(line.text)).toBe(true);
            if (!line.doubtful) expect(line).toStrictEqual(same);
          }
          const last = (lines: typeof later) =>
            lines.filter(({ at }) => at === MORNING + pieces.length - 1);
          if (rest.length > 0) expect(last(later)).toHaveLength(last(laterWhole).length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves out what is just being written', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, lines(0, 2) + lines(2, 1).slice(0, -4));
    expect(texts(await logs.read(DEPLOYMENT, {}))).toStrictEqual(['line 0', 'line 1']);
  });

  it('bounds a line without end', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, formatLogLine(MORNING, 'stdout', 'x'.repeat(1_000_000)));
    const found = await logs.read(DEPLOYMENT, {});
    expect(texts(found).join('')).toHaveLength(1_000_000);
    expect(Math.max(...found.map(({ text }) => text.length))).toBe(MAX_LINE_BYTES);
  });
});

/** No inotify left on this host, as `fs.watch` says it. */
const noWatch: WatchFolder = () => {
  throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
};

describe.each([
  ['the operating system telling of changes', watchFolder],
  ['no help from the operating system', noWatch],
])('Following, with %s,', (_, watch) => {
  it('gives what is there and then what comes, of instances that come later too', async () => {
    const { logs } = await fresh(watch);
    const a = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(a, lines(0, 10));
    const { seen, until } = following(logs, { tail: 2 });
    await until(2);
    await appendFile(a, lines(10, 1));
    await until(3);
    await appendFile(await logs.fileFor(DEPLOYMENT, B), lines(11, 2));
    await until(5);
    expect(texts(seen)).toStrictEqual([8, 9, 10, 11, 12].map((number) => `line ${number}`));
    expect(seen[4]?.instanceId).toBe(B);
  });

  it('begins before there is a folder', async () => {
    const { logs } = await fresh(watch);
    const { seen, until } = following(logs);
    await appendFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 1));
    await until(1);
    await appendFile(await logs.fileFor(DEPLOYMENT, A), lines(1, 1));
    await until(2);
    expect(texts(seen)).toStrictEqual(['line 0', 'line 1']);
  });

  it('loses nothing and doubles nothing while several instances write, whenever it begins', async () => {
    const { logs } = await fresh(watch);
    const files = [await logs.fileFor(DEPLOYMENT, A), await logs.fileFor(DEPLOYMENT, B)];
    const total = 3_000;
    const followers: ReturnType<typeof following>[] = [];
    const write = async (file: string) => {
      for (let first = 0; first < total; first += 30) {
        const bytes = Buffer.from(lines(first, 30));
        // Cut anywhere, as a reader may see a record that is being written.
        const cut = (first * 7) % bytes.length;
        await appendFile(file, bytes.subarray(0, cut));
        await setImmediate();
        await appendFile(file, bytes.subarray(cut));
        if (first % 600 === 0) followers.push(following(logs));
      }
    };
    await Promise.all(files.map(write));
    expect(followers).toHaveLength(10);
    const expected = Array.from({ length: total }, (_, index) => `line ${index}`);
    for (const { seen, until } of followers) {
      await until(2 * total);
      for (const id of [A, B]) {
        expect(texts(seen.filter(({ instanceId }) => instanceId === id))).toStrictEqual(expected);
      }
    }
  });

  it('goes on when the engine begins a new file under the same name, and reads the old one to its end', async () => {
    const { logs } = await fresh(watch);
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, lines(0, 1));
    const { seen, until } = following(logs);
    await until(1);
    for (let round = 0; round < 3; round += 1) {
      // As conmon does it: the rest to the old file, then a new one in its place.
      await appendFile(file, lines(seen.length, 5));
      const count = seen.length + 10;
      await writeFile(`${file}.tmp`, '');
      await rename(`${file}.tmp`, file);
      await appendFile(file, lines(count - 5, 5));
      await until(count);
    }
    expect(texts(seen)).toStrictEqual(Array.from({ length: 31 }, (_, index) => `line ${index}`));
  });

  it('goes on when the file is emptied', async () => {
    const { logs } = await fresh(watch);
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, lines(0, 20));
    const { seen, until } = following(logs, { tail: 1 });
    await until(1);
    await writeFile(file, lines(20, 1));
    await until(2);
    expect(texts(seen)).toStrictEqual(['line 19', 'line 20']);
  });

  it('gives a question without line end when nothing more comes, and joins what comes at once', async () => {
    const { logs } = await fresh(watch);
    const file = await logs.fileFor(DEPLOYMENT, A);
    const { seen, until } = following(logs);
    const begun = (text: string) => formatLogLine(MORNING, 'stdout', text).replace(' F ', ' P ');
    await writeFile(file, begun('one ') + formatLogLine(MORNING, 'stdout', 'two'));
    await appendFile(file, begun('Go on? '));
    await until(2);
    expect(texts(seen)).toStrictEqual(['one two', 'Go on? ']);
  });

  it('survives the removal of what it follows, and finds what is made anew', async () => {
    const { logs } = await fresh(watch);
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 1));
    const { seen, until } = following(logs);
    await until(1);
    await logs.remove(DEPLOYMENT);
    await writeFile(await logs.fileFor(DEPLOYMENT, B), lines(1, 1));
    await until(2);
    expect(texts(seen)).toStrictEqual(['line 0', 'line 1']);
  });

  it('gives only what the query is about', async () => {
    const { logs } = await fresh(watch);
    const { seen, until } = following(logs, { instanceId: B, since: MORNING + 5_000 });
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 10, 'a'));
    await writeFile(await logs.fileFor(DEPLOYMENT, B), lines(0, 10, 'b'));
    await until(5);
    expect(texts(seen)).toStrictEqual([5, 6, 7, 8, 9].map((number) => `b ${number}`));
  });

  it('ends at once when it is told to, and says nothing after that', async () => {
    const { logs } = await fresh(watch);
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, lines(0, 10));
    const stop = new AbortController();
    const seen: string[] = [];
    const done = logs.follow(
      DEPLOYMENT,
      {},
      ({ text }) => {
        seen.push(text);
        if (seen.length === 3) stop.abort();
      },
      stop.signal,
    );
    await done;
    expect(seen).toStrictEqual(['line 0', 'line 1', 'line 2']);
    await logs.follow(DEPLOYMENT, {}, () => seen.push('more'), stop.signal);
    expect(seen).toHaveLength(3);
  });
});

describe('Following', () => {
  it('fails with the error of whoever listens', async () => {
    const { logs } = await fresh();
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 1));
    const listener = () => {
      throw new RangeError('enough');
    };
    const { signal } = new AbortController();
    await expect(logs.follow(DEPLOYMENT, {}, listener, signal)).rejects.toThrow(RangeError);
  });

  it('goes on by itself when watching ends', async () => {
    let lose = () => {};
    const { logs } = await fresh((folder, onChange, onEnd) => {
      lose = onEnd;
      return watchFolder(folder, onChange, onEnd);
    });
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, lines(0, 1));
    const { until } = following(logs);
    await until(1);
    lose();
    await appendFile(file, lines(1, 1));
    await until(2);
  });
});

describe('Keeping within bounds', () => {
  /** Files of 100 lines that ended one after another, `f0` first. */
  async function ended(count: number) {
    const { folder, logs } = await fresh();
    for (let index = 0; index < count; index += 1) {
      const file = await logs.fileFor(DEPLOYMENT, `f${index}`);
      await writeFile(file, 'x'.repeat(1_000));
      await utimes(file, MORNING / 1_000, MORNING / 1_000 + index);
    }
    const left = async () => (await readdir(join(folder, DEPLOYMENT))).toSorted();
    return { logs, left };
  }

  it('keeps the newest files of ended instances, and all of those that run', async () => {
    const { logs, left } = await ended(10);
    const bounds = { maxFiles: 3, maxBytes: 1_000_000 };
    expect(await logs.prune(DEPLOYMENT, ['f0', 'f5'], bounds)).toStrictEqual({
      files: 5,
      bytes: 5_000,
    });
    expect(await left()).toStrictEqual(['f0.log', 'f5.log', 'f7.log', 'f8.log', 'f9.log']);
    expect(await logs.prune(DEPLOYMENT, ['f0', 'f5'], bounds)).toStrictEqual({
      files: 0,
      bytes: 0,
    });
  });

  it('keeps as many bytes as are allowed, and always the newest', async () => {
    const { logs, left } = await ended(6);
    await logs.prune(DEPLOYMENT, [], { maxFiles: 20, maxBytes: 2_500 });
    expect(await left()).toStrictEqual(['f4.log', 'f5.log']);
    await logs.prune(DEPLOYMENT, [], { maxFiles: 20, maxBytes: 10 });
    expect(await left()).toStrictEqual(['f5.log']);
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
