/** A team on the plan `oss` with real containers: the 4th instance and the 501st request are refused, other teams are served. */
import { Agent, type ClientRequest, request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Berth } from './fixtures/berth.ts';

let berth: Berth | undefined;
const asked: ClientRequest[] = [];
const agent = new Agent({ maxSockets: Infinity });

afterEach(async () => {
  for (const one of asked.splice(0)) one.destroy();
  agent.destroy();
  await berth?.close();
  berth = undefined;
});

/** Answers `/hold` with its first bytes, and never ends. */
const APP = `
import { createServer } from 'node:http';
createServer((req, res) => {
  if (req.url !== '/hold') return res.end('hello');
  res.write('held');
}).listen(process.env.PORT);
`;
const FILES = { 'server.mjs': APP };
const CONFIGURATION = { limits: { maxConcurrentReqs: 200, duration: 600_000 } };

/** The status of a request that is held for as long as the test wants. */
function hold(port: string, url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const one = request({
      host: '127.0.0.1',
      port,
      path: '/hold',
      agent,
      headers: { host: url.host },
    });
    asked.push(one);
    one.on('response', (response) => {
      response.on('error', () => undefined);
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    one.on('error', reject);
    one.end();
  });
}

test('three instances serve five hundred requests; the 501st and the fourth instance are refused with their codes', async () => {
  berth = await Berth.up();
  const port = await berth.port();
  const shop = await berth.deploy('hello', { ...CONFIGURATION, name: 'shop' }, FILES);
  const toys = await berth.deploy('hello', { ...CONFIGURATION, name: 'toys' }, FILES);
  await berth.run('teams', 'add', 'others');
  const theirs = await berth.deploy('hello', { ...CONFIGURATION, name: 'theirs' }, FILES, [
    '--team',
    'others',
  ]);
  await berth.run('teams', 'plan', 'default', 'oss');

  const statuses = await Promise.all(Array.from({ length: 500 }, () => hold(port, shop)));
  expect(new Set(statuses)).toStrictEqual(new Set([200]));
  const states = (await berth.instances(shop)).map(({ state }) => state);
  expect(states.filter((state) => state === 'busy')).toHaveLength(3);

  const refused = await berth.get(shop);
  expect(refused.status).toBe(429);
  expect(refused.body).toContain('QUOTA_REQUESTS');
  expect(refused.body).toContain('The plan oss of team default allows 500');

  // With room for requests again, another deployment of the team still finds no instance to start.
  for (const one of asked.splice(0, 50)) one.destroy();
  await expect.poll(async () => (await berth?.get(shop))?.status, { timeout: 10_000 }).toBe(200);
  const fourth = await berth.get(toys);
  expect(fourth.status).toBe(429);
  expect(fourth.body).toContain('QUOTA_INSTANCES');

  // Nobody else notices.
  expect(await berth.get(theirs)).toMatchObject({ status: 200, body: 'hello' });
  const teams = JSON.parse(await berth.run('teams', '--json')) as readonly {
    readonly name: string;
    readonly use: { readonly instances: number; readonly requests: number };
  }[];
  expect(teams.find(({ name }) => name === 'default')?.use).toMatchObject({
    instances: 3,
    requests: 450,
  });

  // As soon as one instance has nothing to do, it gives way.
  for (const one of asked.splice(0)) one.destroy();
  await expect.poll(async () => (await berth?.get(toys))?.status, { timeout: 10_000 }).toBe(200);
});
