/** A restart of Berth on real containers: what environments asked for before it holds from its first moment on. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Berth, type Instance } from './fixtures/berth.ts';

const PROJECT = 'restarted';
const AWAKE = 3;

let berth: Berth;

beforeAll(async () => {
  berth = await Berth.up();
});

afterAll(async () => {
  await berth.run('environments', 'rm', 'production', '-n', PROJECT, '--yes').catch(() => '');
  await berth.close();
});

async function awake(): Promise<readonly string[]> {
  const all = JSON.parse(await berth.run('instances', '--json')) as readonly Instance[];
  return all
    .filter(({ state }) => state === 'ready')
    .map(({ id }) => id)
    .toSorted();
}

test('instances that an environment allows are taken over, more than the deployment itself may have', async () => {
  const configuration = { name: PROJECT, scale: { min: 0, max: 1 } };
  const { hostname } = await berth.deploy('hello', configuration);
  await berth.run('promote', hostname.split('.')[0] ?? '');
  await berth.run('scale', PROJECT, `min=${AWAKE}`, `max=${AWAKE}`);
  await expect.poll(awake, { timeout: 60_000 }).toHaveLength(AWAKE);
  const before = await awake();
  await berth.kill();
  await berth.up();
  // What is not allowed to stay drains at once, and another one is made in its place.
  expect(await awake()).toStrictEqual(before);
});
