/** Following logs in real files while others write. */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LogLine, Logs } from '../ports/logs.ts';
import { A, B, DEPLOYMENT, fresh, lines, MORNING, texts } from './fixtures/fresh.ts';
import { formatLogLine } from './format.ts';
import { type WatchFolder, watchFolder } from './watch.ts';

/** Follows until the test ends, or until stopped. */
function following(logs: Logs, query: Parameters<Logs['follow']>[1] = {}) {
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
