/** Sleeping and waking on real containers: bursts, rest, the memory budget, and a server that is killed. */
import { get } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Berth, podman } from './fixtures/berth.ts';

const opened: Berth[] = [];

async function up(...options: readonly string[]): Promise<Berth> {
  const berth = await Berth.up(...options);
  opened.push(berth);
  return berth;
}

afterEach(async () => {
  for (const berth of opened.splice(0)) await berth.close();
});

/** The Node hello, with answers that take long enough for all requests of a burst to be there at once. */
const SLOW = {
  env: { ANSWER_AFTER_MS: '1000' },
  limits: { maxConcurrentReqs: 10, timeout: 1_000 },
};

test('a hundred requests at once get a hundred answers from exactly ten instances, which all come to rest', async () => {
  const berth = await up();
  const url = await berth.deploy('hello', SLOW);
  const burst = () => Promise.all(Array.from({ length: 100 }, () => berth.get(url)));

  const first = await burst();
  expect(first.filter(({ status }) => status !== 200)).toEqual([]);
  expect(await berth.instances(url)).toHaveLength(10);

  const rested = await berth.until(url, (states) => states.every((state) => state === 'frozen'));
  expect(rested.length).toBeGreaterThanOrEqual(1);
  expect((await burst()).filter(({ status }) => status !== 200)).toEqual([]);
});

test('load that goes up and down in steps has exactly the instances that it needs at each step, and none at the end', async () => {
  const berth = await up();
  // Nobody waits for these answers: each step ends when its clients go away.
  const url = await berth.deploy('hello', {
    env: { ANSWER_AFTER_MS: '600000' },
    limits: { maxConcurrentReqs: 10, timeout: 1_000 },
  });
  const address = { host: '127.0.0.1', port: await berth.port(), headers: { host: url.host } };
  for (const load of [5, 31, 100, 40, 11]) {
    await berth.until(url, (states) => states.every((state) => state === 'frozen'));
    const asked = Array.from({ length: load }, () => get({ ...address, agent: false }));
    for (const one of asked) one.on('error', () => {});
    const inFlight = async () =>
      (await berth.instances(url))
        .map((instance) => instance.inFlight)
        .filter((count) => count > 0);
    const total = async () => (await inFlight()).reduce((sum, count) => sum + count, 0);
    await expect.poll(total, { timeout: 60_000 }).toBe(load);
    expect(await inFlight()).toHaveLength(Math.ceil(load / 10));
    for (const one of asked) one.destroy();
    await expect.poll(total, { timeout: 60_000 }).toBe(0);
  }
});

test('under a small memory budget a sleeper is parked, under a smaller one only its image is kept; both wake', async () => {
  const parking = await up('--memory-budget', '5');
  const parked = await parking.deploy('hello', { limits: { timeout: 1_000 } });
  for (let round = 0; round < 2; round += 1) {
    await parking.until(parked, (states) => states.join() === 'parked');
    expect(await parking.get(parked)).toMatchObject({ status: 200, start: 'parked' });
    expect(await parking.get(parked)).toMatchObject({ status: 200, start: 'warm' });
  }

  const keepingNothing = await up('--memory-budget', '1');
  const cold = await keepingNothing.deploy('hello', { limits: { timeout: 1_000 } });
  for (let round = 0; round < 2; round += 1) {
    await keepingNothing.until(cold, (states) => states.length === 0);
    expect(await keepingNothing.get(cold)).toMatchObject({ status: 200, start: 'cold' });
  }
});

test('a killed server finds its instances again in every state, and never touches what it did not make', async () => {
  const berth = await up();
  const frozen = await berth.deploy('hello', { env: { GREETING: 'Frozen' } });
  const parked = await berth.deploy('hello', { env: { GREETING: 'Parked' }, idle: 'stop' });
  const running = await berth.deploy('hello', { env: { GREETING: 'Running' }, idle: 'run' });
  await berth.until(parked, (states) => states.join() === 'parked');
  const all = [frozen, parked, running];
  const before = await Promise.all(all.map((url) => berth.instances(url)));

  const name = `not-of-berth-${process.pid}`;
  const image = 'docker.io/library/node:24-slim';
  await podman('create', '--name', name, '--label', 'berth.instance=hello-00000000.aaaaaa', image);
  try {
    await berth.kill();
    await berth.up();
    const after = await Promise.all(all.map((url) => berth.instances(url)));
    const known = (lists: typeof before) => lists.flat().map(({ id, state }) => `${id} ${state}`);
    expect(known(after)).toEqual(known(before));
    expect(
      await podman('ps', '--all', '--filter', `name=${name}`, '--format', '{{.Names}}'),
    ).toEqual([name]);
    const starts = await Promise.all(all.map(async (url) => (await berth.get(url)).start));
    expect(starts).toEqual(['thawed', 'parked', 'warm']);

    const ids = new Set(after.flat().map(({ id }) => `berth-${id}`));
    const deployments = all.map((url) => url.hostname.split('.')[0] ?? '');
    const containers = await podman('ps', '--all', '--format', '{{.Names}}');
    const ours = containers.filter((container) => deployments.some((id) => container.includes(id)));
    expect(new Set(ours)).toEqual(ids);
  } finally {
    await podman('rm', '--force', name);
  }
});
