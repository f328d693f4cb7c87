/** Instances that reach `limits.duration` again and again under load: nobody notices. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../src/system/clock.ts';
import { Berth } from './fixtures/berth.ts';
import { load } from './fixtures/steady-load.ts';

/** BERTH_SOAK_SECONDS makes it longer or shorter. */
const SECONDS = Number(process.env.BERTH_SOAK_SECONDS ?? 60);
const DURATION_MS = 5_000;

let berth: Berth;

beforeAll(async () => {
  berth = await Berth.up();
});

afterAll(() => berth.close());

test(`with limits.duration ${DURATION_MS} ms, ${SECONDS} s of load lose no request while instances rotate`, {
  timeout: SECONDS * 1_000 + 180_000,
}, async () => {
  const url = await berth.deploy('hello', {
    env: { ANSWER_AFTER_MS: '20' },
    limits: { maxConcurrentReqs: 2, duration: DURATION_MS, timeout: 2_000 },
  });
  const port = await berth.port();
  const running = load({ port, urls: [url], clientsEach: 3 });
  const seen = new Set<string>();
  const end = systemClock.now() + SECONDS * 1_000;
  while (systemClock.now() < end) {
    for (const { id, state } of await berth.instances(url)) if (state === 'busy') seen.add(id);
    await systemClock.sleep(1_000);
  }
  const { answered, failures } = await running.stop();
  console.log(`${answered} requests over ${seen.size} instances, ${failures.length} failed`);
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(SECONDS * 20);
  // Two at a time; duration and its jitter renew each of them every five to six seconds.
  expect(seen.size).toBeGreaterThanOrEqual(Math.floor(SECONDS / 6));
  await berth.until(url, (states) => states.every((state) => state === 'frozen'));
});
