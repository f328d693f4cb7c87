/** What an app prints of its secrets is not shown: not read, not followed, and not when nobody knows what they are. */
import { appendFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { LogLine } from '../ports/logs.ts';
import { A, DEPLOYMENT, fresh, MORNING, texts } from './fixtures/fresh.ts';
import { formatLogLine } from './format.ts';
import { redacted, type ValuesOf } from './redacted.ts';

async function logsWith(valuesOf: ValuesOf) {
  const logs = redacted((await fresh()).logs, valuesOf);
  const file = await logs.fileFor(DEPLOYMENT, A);
  const print = (text: string) => appendFile(file, formatLogLine(MORNING, 'stdout', text));
  return { logs, print };
}

it('a value that an app prints is replaced by its name, read and followed', async () => {
  const { logs, print } = await logsWith(async () => ({ db: 'hunter2hunter2' }));
  await print('connecting with hunter2hunter2 …');
  expect(texts(await logs.read(DEPLOYMENT, {}))).toEqual(['connecting with [secret db] …']);

  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const seen: LogLine[] = [];
  const following = logs.follow(
    DEPLOYMENT,
    {},
    (line) => {
      seen.push(line);
      if (seen.length === 2) stop.abort();
    },
    stop.signal,
  );
  await print('again hunter2hunter2');
  await following;
  expect(texts(seen)).toEqual(['connecting with [secret db] …', 'again [secret db]']);
});

it('nothing is shown when nobody can say what is secret', async () => {
  const { logs, print } = await logsWith(() => Promise.reject(new Error('no key')));
  await print('hunter2hunter2');
  const [line] = await logs.read(DEPLOYMENT, {});
  expect(line?.text).toMatch(/^\[withheld: /);
});

it('a deployment without secrets shows what its app wrote', async () => {
  const { logs, print } = await logsWith(async () => ({}));
  await print('hello');
  expect((await logs.read(DEPLOYMENT, {}))[0]?.text).toBe('hello');
});
