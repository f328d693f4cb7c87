/** Faults of every kind on real containers under steady load: requests that may be sent again lose nothing. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../src/system/clock.ts';
import { Berth, podman } from './fixtures/berth.ts';
import { containersOf, deploySeveral, killQuietly, load } from './fixtures/steady-load.ts';

const DEPLOYMENTS = 3;
const CLIENTS_EACH = 3;
const ROUNDS = 8;
const PAUSE_MS = 700;

let berth: Berth;
let urls: readonly URL[];
let port: string;

beforeAll(async () => {
  berth = await Berth.up();
  urls = await deploySeveral(berth, 'hello', DEPLOYMENTS);
  port = await berth.port();
});

afterAll(() => berth.close());

const containers = () => containersOf(urls);

/** Causes a fault each round, and sees that most rounds had one, that nothing failed and that all comes to rest. */
async function underLoad(fault: (round: number) => Promise<boolean>): Promise<void> {
  const running = load({ port, urls, clientsEach: CLIENTS_EACH });
  let faults = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (await fault(round)) faults += 1;
    await systemClock.sleep(PAUSE_MS);
  }
  const { answered, failures } = await running.stop();
  expect(failures).toEqual([]);
  expect(faults).toBeGreaterThan(ROUNDS / 2);
  expect(answered).toBeGreaterThan(100);
  for (const url of urls) {
    const states = await berth.until(url, (seen) =>
      seen.every((state) => state === 'frozen' || state === 'parked'),
    );
    expect(states.length).toBeGreaterThan(0);
  }
}

test('instances that are killed one after the other', async () => {
  await underLoad(async (round) => {
    const found = (await containers()).filter(({ pid }) => pid > 1);
    return killQuietly(found[round % Math.max(1, found.length)]?.pid ?? 0);
  });
});

test('instances whose monitor (conmon) is killed, and then they themselves', async () => {
  await underLoad(async (round) => {
    const found = (await containers()).filter(({ pid }) => pid > 1);
    const target = found[round % Math.max(1, found.length)];
    if (!target) return false;
    const stat = await readFile(`/proc/${target.pid}/stat`, 'utf8').catch(() => '');
    const parent = Number(/\) \S+ (\d+)/.exec(stat)?.[1] ?? 0);
    const name = await readFile(`/proc/${parent}/comm`, 'utf8').catch(() => '');
    const isBlind = name.trim() === 'conmon' && killQuietly(parent);
    return killQuietly(target.pid) && isBlind;
  });
});

test('containers that are removed behind our back, asleep or awake', async () => {
  await underLoad(async (round) => {
    const found = await containers();
    const target = found[round % Math.max(1, found.length)];
    if (!target) return false;
    return podman('rm', '--force', '--time', '0', target.name).then(
      () => true,
      () => false,
    );
  });
});

test('a Podman service that is killed', async () => {
  await underLoad(async (round) => {
    // Between two of its ends the next one has to come up.
    if (round % 3 === 0) {
      const note = await readFile(berth.file('podman/service.json'), 'utf8');
      expect(killQuietly((JSON.parse(note) as { readonly pid: number }).pid)).toBe(true);
    }
    const target = (await containers()).find(({ pid }) => pid > 1);
    return killQuietly(target?.pid ?? 0);
  });
});
