/** Environments and releases through the API of a whole server on the memory engine. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../client/client.ts';
import { type RunningServer, startServer } from '../server.ts';
import { systemClock } from '../system/clock.ts';

let folder: string;
let server: RunningServer;
let client: Client;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-api-releases-'));
  server = await startServer({
    data: folder,
    listen: '127.0.0.1:0',
    domain: 'localhost',
    engine: 'memory',
    reporter: { report: () => undefined },
  });
  token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  client = createClient({ url: `http://${server.address}`, token, sleep });
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function deploy(name: string): Promise<string> {
  const source = { kind: 'image' as const, reference: `registry.test/${name}` };
  const { deployment } = await client.deploy({ project: 'shop', source });
  for await (const event of client.progress(deployment.id)) {
    if (event.kind === 'end') expect(event.deployment.state).toBe('ready');
  }
  return deployment.id;
}

describe('through the API', () => {
  it('a deployment is released, promoted, scaled and rolled back, and each is in the history', async () => {
    const [one, two] = [await deploy('one'), await deploy('two')];
    const first = await client.release('shop', 'staging', { deployment: one, why: 'to look at' });
    expect(first).toMatchObject({
      number: 1,
      state: 'current',
      base: one,
      url: expect.stringContaining('http://shop-staging.localhost'),
      createdBy: 'local',
    });
    await client.release('shop', 'production', { from: { environment: 'staging' } });
    await client.release('shop', 'production', { deployment: two });
    const { release } = await client.scale('shop', 'production', { min: 1 });
    expect(release?.settings.scale).toStrictEqual({ min: 1, max: 10 });
    const lowered = await client.scale('shop', 'production', { max: 1 });
    expect(lowered.environment.settings.scale).toStrictEqual({ min: 1, max: 1 });
    await client.rollback('shop', 'production', { to: 1, why: 'two is slow' });
    const history = await client.releases('shop', 'production');
    expect(history.map(({ number, kind, because }) => [number, kind, because])).toStrictEqual([
      [5, 'rollback', 'Rollback to v1: two is slow'],
      [4, 'scale', 'Scale to 1 instance'],
      [3, 'scale', 'Scale to 1–10 instances'],
      [2, 'deploy', `Deploy ${two}`],
      [1, 'promote', `Promote ${one} from staging v1`],
    ]);
    expect(await client.releases('shop', 'production', 2)).toHaveLength(2);
    const [production] = await client.environments('shop');
    expect(production).toMatchObject({
      name: 'production',
      current: { number: 5, deployment: one },
      paused: 'v4 was rolled back to v1 by local.',
    });
  });

  it('limits are laid over the deployment, and taken away by null', async () => {
    await client.release('shop', 'qa', { deployment: await deploy('limited') });
    const set = await client.limit('shop', 'qa', { duration: 5_000, maxConcurrentReqs: 3 });
    expect(set.environment.settings.limits).toStrictEqual({
      duration: 5_000,
      maxConcurrentReqs: 3,
    });
    const taken = await client.limit('shop', 'qa', { duration: null });
    expect(taken.environment.settings.limits).toStrictEqual({ maxConcurrentReqs: 3 });
    const again = await client.limit('shop', 'qa', { maxConcurrentReqs: 3 });
    expect(again.release).toBeUndefined();
  });

  it('names of branches pass through paths, and what is no name is refused', async () => {
    const deployment = await deploy('branch');
    const made = await client.release('shop', 'preview/Fix/Cart', { deployment });
    expect(made.url).toMatch(/shop-preview-fix-cart-[0-9a-z]{6}\.localhost/);
    expect((await client.environment('shop', 'preview/Fix/Cart')).current?.number).toBe(1);
    await client.removeEnvironment('shop', 'preview/Fix/Cart');
    await expect(client.environment('shop', 'preview/Fix/Cart')).rejects.toMatchObject({
      code: 'ENVIRONMENT_NOT_FOUND',
    });
    await expect(client.makeEnvironment('shop', 'No Name')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('what cannot be is refused with its code: unknown things, scale upside down, removal of what runs', async () => {
    const refused = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    const running = (await client.environment('shop', 'production')).current?.deployment ?? '';
    expect(
      await Promise.all([
        refused(client.environments('nobody')),
        refused(client.release('shop', 'production', { deployment: 'nobody' })),
        refused(client.release('shop', 'production', { from: { environment: 'qa', number: 99 } })),
        refused(client.release('shop', 'production', {})),
        refused(client.rollback('shop', 'staging', {})),
        refused(client.rollback('shop', 'production', { to: 99 })),
        refused(client.scale('shop', 'production', { min: 5, max: 1 })),
        refused(client.remove(running)),
      ]),
    ).toStrictEqual([
      'PROJECT_NOT_FOUND',
      'DEPLOYMENT_NOT_FOUND',
      'RELEASE_NOT_FOUND',
      'INVALID_INPUT',
      'NOTHING_TO_ROLL_BACK',
      'RELEASE_NOT_FOUND',
      'INVALID_INPUT',
      'DEPLOYMENT_IN_USE',
    ]);
  });
});
