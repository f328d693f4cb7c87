/** Faults that do not end an instance by a plain kill: frozen, out of memory, unseen, removed while asleep. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freezeCgroup, readCgroup } from '../src/engines/podman/cgroup.ts';
import { systemClock } from '../src/system/clock.ts';
import { Berth, podman } from './fixtures/berth.ts';
import { type Container, containersOf, killQuietly, load } from './fixtures/steady-load.ts';

const CLIENTS = 5;
const LIMITS = { maxConcurrentReqs: 2, timeout: 2_000 };

let berth: Berth;

beforeAll(async () => {
  berth = await Berth.up();
});
afterAll(() => berth.close());

/** Deploys, causes a fault under load every `pauseMs`, and sees that nothing failed and all comes to rest. */
async function underLoad(
  url: URL,
  rounds: number,
  pauseMs: number,
  fault: (round: number) => Promise<boolean>,
): Promise<void> {
  const port = await berth.port();
  const running = load({ port, urls: [url], clientsEach: CLIENTS });
  let faults = 0;
  for (let round = 0; round < rounds; round += 1) {
    await systemClock.sleep(pauseMs);
    if (await fault(round)) faults += 1;
  }
  const { answered, failures } = await running.stop();
  expect(failures).toEqual([]);
  expect(faults).toBeGreaterThan(rounds / 2);
  expect(answered).toBeGreaterThan(50);
  await comesToRest(url);
}

/** A lease that leaked would keep its instance from its rest. */
async function comesToRest(url: URL): Promise<void> {
  const states = await berth.until(url, (seen) =>
    seen.every((state) => state === 'frozen' || state === 'parked'),
  );
  expect(states.length).toBeGreaterThan(0);
}

/** One that runs, another one each round. */
async function running(url: URL, round: number): Promise<Container | undefined> {
  const found = (await containersOf([url])).filter(({ pid }) => pid > 1);
  return found[round % Math.max(1, found.length)];
}

/** Whether it worked: the instance may have ended meanwhile. */
async function freezeByHand({ id, pid }: Container): Promise<boolean> {
  const cgroup = readCgroup(pid, id);
  return cgroup !== undefined && succeeds(freezeCgroup(cgroup.freezer, systemClock));
}

const succeeds = (attempt: Promise<unknown>) =>
  attempt.then(
    () => true,
    () => false,
  );

test('instances that somebody else freezes go on, and their requests are only late', async () => {
  const url = await berth.deploy('hello', {
    name: 'frozen',
    env: { ANSWER_AFTER_MS: '20' },
    limits: LIMITS,
  });
  await underLoad(url, 6, 1_500, async (round) => {
    const target = await running(url, round);
    if (!target) return false;
    return round % 2 === 0 ? freezeByHand(target) : succeeds(podman('pause', target.name));
  });
});

const HUNGRY = `
import { createServer } from 'node:http';
const held = [];
createServer((request, response) => {
  if (request.url === '/fill') {
    console.log('filling;');
    setInterval(() => held.push(Buffer.alloc(4 * 1024 * 1024, 1)), 1);
    return;
  }
  setTimeout(() => response.end('well'), 20);
}).listen(0);
`;

async function timesFilled(url: URL): Promise<number> {
  const log = await berth.run('logs', url.hostname.split('.')[0] ?? '', '--lines', '1000');
  return log.split('filling;').length - 1;
}

test('instances that run out of memory under load cost no other request its answer', async () => {
  const configuration = { name: 'hungry', slot: 'c.125-m64', limits: LIMITS };
  const url = await berth.deploy('hello', configuration, { 'server.mjs': HUNGRY });
  let killed = 0;
  await underLoad(url, 5, 1_500, async () => {
    // Not safe to repeat, so it takes one instance with it and not another.
    const answer = await berth.get(url, '/fill', 'POST');
    expect(answer.status).toBe(502);
    killed += 1;
    return true;
  });
  expect(await timesFilled(url)).toBe(killed);
});

test('a GET that kills its instance takes two more with it, and no fourth', async () => {
  const configuration = { name: 'killed', slot: 'c.125-m64', limits: LIMITS };
  const url = await berth.deploy('hello', configuration, { 'server.mjs': HUNGRY });
  expect((await berth.get(url, '/fill')).status).toBe(502);
  expect(await timesFilled(url)).toBe(3);
  expect(await berth.get(url)).toMatchObject({ status: 200, body: 'well' });
  await comesToRest(url);
});

test('an instance that dies while nobody tells of it is noticed, and another one serves', async () => {
  const url = await berth.deploy('hello', { name: 'unseen', limits: { timeout: 600_000 } });
  for (let round = 0; round < 3; round += 1) {
    expect((await berth.get(url)).status).toBe(200);
    const [before] = (await berth.instances(url)).filter(({ state }) => state === 'ready');
    const note = await readFile(berth.file('podman/service.json'), 'utf8');
    const target = (await containersOf([url])).find(({ name }) => name.includes(before?.id ?? '?'));
    // The service first: the event of the death has nobody to carry it.
    killQuietly((JSON.parse(note) as { readonly pid: number }).pid);
    killQuietly(target?.pid ?? 0);
    const deadline = systemClock.now() + 20_000;
    while ((await berth.instances(url)).some(({ id }) => id === before?.id)) {
      expect(systemClock.now()).toBeLessThan(deadline);
      await systemClock.sleep(100);
    }
  }
  expect((await berth.get(url)).status).toBe(200);
});

test('parked containers that are removed behind our back while a burst comes', async () => {
  const url = await berth.deploy('hello', {
    name: 'parked',
    idle: 'stop',
    env: { ANSWER_AFTER_MS: '300' },
    limits: { maxConcurrentReqs: 1, timeout: 1_000 },
  });
  const burst = () => Promise.all(Array.from({ length: 4 }, () => berth.get(url)));
  await burst();
  for (let round = 0; round < 3; round += 1) {
    await berth.until(url, (seen) => seen.length > 0 && seen.every((state) => state === 'parked'));
    const names = (await containersOf([url])).map(({ name }) => name);
    const removed = Promise.all(
      names
        .slice(round % 2)
        .map((name) =>
          podman('rm', '--force', '--ignore', '--time', '0', name).catch(() => undefined),
        ),
    );
    const answers = await burst();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    await removed;
  }
  // What was removed while it rested is missed by nobody: all of it may be gone.
  await berth.until(url, (seen) => seen.every((state) => state === 'parked'));
  expect((await berth.get(url)).status).toBe(200);
});
