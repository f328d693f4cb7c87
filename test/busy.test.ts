/** An app says from inside a real container that it is busy, and stays awake: over its timeout, and over a killed Berth. */
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../src/system/clock.ts';
import { Berth } from './fixtures/berth.ts';

let berth: Berth | undefined;

afterEach(async () => {
  await berth?.close();
  berth = undefined;
});

/** Passes on to the platform what it is asked for, and tells what came of it. */
const APP = `
import { createServer } from 'node:http';
createServer(async (req, res) => {
  const asked = new URL(req.url, 'http://app');
  if (asked.pathname === '/header') return res.writeHead(200, { 'x-berth-busy': '3s' }).end('ok');
  if (asked.pathname === '/where') return res.end(process.env.BERTH_BUSY_URL);
  const to = asked.searchParams.get('to') ?? process.env.BERTH_BUSY_URL;
  try {
    const answer = await fetch(to + asked.searchParams.get('query'), {
      method: req.method,
      signal: AbortSignal.timeout(5000),
    });
    res.end(answer.status + ' ' + (await answer.text()));
  } catch (error) {
    res.end('failed ' + (error.cause?.code ?? error.name));
  }
}).listen(process.env.PORT);
`;
const FILES = { 'server.mjs': APP };
const CONFIGURATION = { limits: { timeout: 1_000, duration: 60_000 } };

const say = (query: string) => `/say?query=${encodeURIComponent(query)}`;

test('an instance that says it is busy stays awake until it says otherwise, over a killed Berth too; nobody else can say it', async () => {
  berth = await Berth.up();
  const url = await berth.deploy('hello', CONFIGURATION, FILES);
  const other = await berth.deploy('hello', { ...CONFIGURATION, name: 'other' }, FILES);

  const granted = await berth.get(url, say('?for=10m'), 'POST');
  expect(granted.body).toMatch(/^200 \{"instance":"hello-.*","isCut":true\}/);
  expect((await berth.get(url, say('?for=soon'), 'POST')).body).toMatch(/^400 .*BUSY_INVALID/s);
  expect((await berth.get(url, say(''), 'POST')).body).toMatch(/^400 .*BUSY_INVALID/s);
  expect((await berth.get(url, say('x?for=1s'), 'POST')).body).toMatch(/^404 .*NOT_FOUND/s);
  expect((await berth.get(url, say('?for=1s'))).body).toMatch(/^400 .*BAD_REQUEST/s);

  // Neither from another project, nor from the host, nor from outside.
  const { body: where } = await berth.get(url, '/where');
  const foreign = `${say('?for=10m')}&to=${encodeURIComponent(where)}`;
  expect((await berth.get(other, foreign, 'POST')).body).toMatch(/^failed /);
  await expect(fetch(`${where}?for=10m`, { method: 'POST' })).rejects.toThrow();
  const outside = '/.well-known/berth/busy?for=10m';
  expect(await berth.get(url, outside, 'POST')).toMatchObject({ status: 403 });

  // Longer than its timeout, and for the next Berth.
  await berth.until(other, (states) => states.join() === 'frozen');
  await systemClock.sleep(2_500);
  const [busy] = await berth.instances(url);
  expect(busy?.state).toBe('busy');
  expect(busy?.because).toMatch(/^busy for \d+ s more, as it said itself/);
  await berth.kill();
  await berth.up();
  await systemClock.sleep(2_500);
  expect((await berth.instances(url)).map(({ state }) => state)).toEqual(['busy']);

  // The adopted instance speaks to the new Berth by the old address.
  const ended = await berth.get(url, say('?for=0'), 'POST');
  expect(ended.body).toMatch(/^200 /);
  await berth.until(url, (states) => states.join() === 'frozen');

  // By a header it is heard as well, and ends by itself.
  await berth.get(url, '/header');
  await berth.until(url, (states) => states.join() === 'busy');
  await berth.until(url, (states) => states.join() === 'frozen');
});
