/** Environments and their releases on the memory engine: what is switched when, what is restored, what is refused. */
import { describe, expect, it } from 'vitest';
import type { Exit } from '../ports/engine.ts';
import { world } from './fixtures/booted.ts';

const PRODUCTION = { project: 'shop', environment: 'production', createdBy: 'me' } as const;
const STAGING = { ...PRODUCTION, environment: 'staging' } as const;
const CRASH: Exit = { code: 3, outOfMemory: false };

describe('a release', () => {
  it('takes the traffic of its environment’s hostname, under the next number', async () => {
    const { releases, deploy, servedBy } = await world();
    expect(await servedBy('shop.localhost')).toBeUndefined();
    const [one, two] = [await deploy('one'), await deploy('two')];
    expect(await releases.release({ ...PRODUCTION, deployment: one })).toMatchObject({ number: 1 });
    expect(await servedBy('shop.localhost')).toBe(one.id);
    const second = await releases.release({ ...PRODUCTION, deployment: two, why: 'mends it' });
    expect(second).toMatchObject({
      number: 2,
      state: 'current',
      because: `Deploy ${two.id}: mends it`,
    });
    expect(await servedBy('shop.localhost')).toBe(two.id);
    expect(await servedBy(`${one.id}.localhost`)).toBe(one.id);
  });

  it('runs the settings of its environment as a deployment of its own, which is one with what was deployed just so', async () => {
    const { releases, deploy, store } = await world();
    const base = await deploy('one', { env: { A: '1' } });
    const change = () => ({ variables: { B: '2' }, limits: { maxConcurrentReqs: 5 } });
    await releases.change({ ...PRODUCTION, kind: 'variables', change });
    const made = await releases.release({ ...PRODUCTION, deployment: base });
    const running = await store.deployment(made.deploymentId);
    expect(running).toMatchObject({
      derivedFrom: base.id,
      state: 'ready',
      image: base.image,
      configuration: { env: { A: '1', B: '2' }, limits: { maxConcurrentReqs: 5 } },
    });
    const again = await deploy('one', {
      env: { A: '1', B: '2' },
      limits: { ...base.configuration.limits, maxConcurrentReqs: 5 },
    });
    expect(again.id).toBe(made.deploymentId);
  });

  it('moves the very same image on to the next environment, which lays its own settings over it', async () => {
    const { releases, deploy, store } = await world();
    const base = await deploy('one');
    const change = () => ({ variables: { WHERE: 'staging' }, limits: {} });
    await releases.change({ ...STAGING, kind: 'variables', change });
    const staged = await releases.release({ ...STAGING, deployment: base });
    const running = await store.deployment(staged.deploymentId);
    if (!running) throw new Error('it is not there');
    const from = { environment: 'staging', number: staged.number };
    const made = await releases.release({ ...PRODUCTION, deployment: running, from });
    expect(made).toMatchObject({ kind: 'promote', baseId: base.id, deploymentId: base.id });
    expect(made.because).toBe(`Promote ${base.id} from staging v1`);
  });

  it('has as many instances ready as the old one has busy, before it takes the first request', async () => {
    const { releases, deploy, fleet, table } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await releases.release({ ...PRODUCTION, deployment: one });
    const forEver = new AbortController().signal;
    const leases = await Promise.all([1, 2, 3].map(() => fleet.acquire(one.id, forEver)));
    let readyAtSwitch: number | undefined;
    const point = table.point.bind(table);
    table.point = (...words) => {
      readyAtSwitch ??= fleet.instances(two.id).filter(({ state }) => state === 'ready').length;
      point(...words);
    };
    await releases.release({ ...PRODUCTION, deployment: two });
    expect(readyAtSwitch).toBe(3);
    const held = fleet.instances(one.id).filter(({ state }) => state === 'busy').length;
    expect(held).toBe(3);
    for (const acquired of leases) if (acquired.kind === 'leased') acquired.lease.end('done');
  });

  it('that crashes on boot never takes a request, keeps its number and its reason, and the old one serves on', async () => {
    let broken = '';
    const { releases, deploy, servedBy, store } = await world({
      exitsOnBoot: (id) => (broken !== '' && !id.startsWith(broken) ? CRASH : undefined),
    });
    const base = await deploy('one');
    await releases.release({ ...PRODUCTION, deployment: base });
    broken = base.id;
    const change = () => ({ variables: { BROKEN: '1' }, limits: {} });
    const failing = releases.change({ ...PRODUCTION, kind: 'variables', change });
    await expect(failing).rejects.toMatchObject({
      code: 'RELEASE_FAILED',
      detail: expect.stringMatching(/v2 of production.*BOOT_FAILED/),
    });
    expect(await servedBy('shop.localhost')).toBe(base.id);
    expect(await store.release('shop', 'production', 2)).toMatchObject({
      state: 'failed',
      because: expect.stringMatching(/^Set BROKEN; failed: .*BOOT_FAILED/),
    });
    expect(await store.environment('shop', 'production')).toMatchObject({
      current: 1,
      latest: 2,
      settings: { variables: {} },
    });
    expect((await store.environment('shop', 'production'))?.latest).toBe(2);
  });

  it('is refused before anything is written when its image is gone, it is not ready, or it is not of the project', async () => {
    const { releases, deploy, images, store } = await world();
    const base = await deploy('one');
    images.clear();
    await expect(releases.release({ ...PRODUCTION, deployment: base })).rejects.toMatchObject({
      code: 'IMAGE_GONE',
    });
    await store.updateDeployment({ ...base, state: 'failed' });
    await expect(releases.release({ ...PRODUCTION, deployment: base })).rejects.toMatchObject({
      code: 'NOT_READY',
    });
    const strange = { ...base, project: 'other' };
    await expect(
      releases.release({ ...PRODUCTION, project: 'other', deployment: strange }),
    ).rejects.toMatchObject({ code: 'DEPLOYMENT_NOT_FOUND' });
    expect(await store.releases({ project: 'shop' })).toStrictEqual([]);
    expect(await store.releases({ project: 'other' })).toStrictEqual([]);
  });

  it('waits for the one before it, so that none is lost and none overtakes', async () => {
    const { releases, deploy, store } = await world();
    const made = [await deploy('one'), await deploy('two'), await deploy('three')];
    const numbers = await Promise.all(
      made.map((deployment) => releases.release({ ...PRODUCTION, deployment })),
    );
    expect(numbers.map(({ number, baseId }) => [number, baseId])).toStrictEqual(
      made.map(({ id }, index) => [index + 1, id]),
    );
    const states = (await store.releases({ project: 'shop', environment: 'production' })).map(
      ({ state }) => state,
    );
    expect(states).toStrictEqual(['current', 'superseded', 'superseded']);
  });

  it('is refused when another project or an alias has the hostname', async () => {
    const { releases, deploy, table } = await world();
    const deployment = await deploy('one');
    await releases.release({ ...STAGING, deployment });
    await expect(releases.make('shop-staging', 'production')).rejects.toMatchObject({
      code: 'HOSTNAME_TAKEN',
    });
    await expect(releases.make('berth', 'production')).rejects.toMatchObject({
      code: 'HOSTNAME_TAKEN',
    });
    const target = { kind: 'environment', project: 'shop', environment: 'production' } as const;
    table.setAlias({ hostname: 'bank.localhost', path: '/', target });
    table.setAlias({ hostname: 'till-staging.localhost', path: '/api', target });
    table.setAlias({ hostname: 'theirs.localhost', path: '/api', target });
    for (const project of ['bank', 'theirs']) {
      const refused = releases.make(project, 'production');
      await expect(refused).rejects.toMatchObject({ code: 'HOSTNAME_TAKEN' });
    }
    // A path of it is the team's own.
    await expect(releases.make('till', 'staging')).resolves.toBeDefined();
    await expect(releases.make('shop', 'No Name')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('a rollback', () => {
  it('without a number goes to the previous different one, and is itself a release; twice is forth again', async () => {
    const { releases, deploy, servedBy } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await releases.release({ ...PRODUCTION, deployment: one });
    await releases.release({ ...PRODUCTION, deployment: two });
    expect(await releases.rollback(PRODUCTION)).toMatchObject({
      number: 3,
      kind: 'rollback',
      because: 'Rollback to v1',
    });
    expect(await servedBy('shop.localhost')).toBe(one.id);
    expect(await releases.rollback(PRODUCTION)).toMatchObject({
      number: 4,
      because: 'Rollback to v2',
    });
    expect(await servedBy('shop.localhost')).toBe(two.id);
  });

  it('restores deployment, variables, versions of secrets, limits and scale together', async () => {
    const { releases, deploy, store, versions } = await world();
    const base = await deploy('one');
    versions['key'] = 3;
    const first = {
      variables: { K: '@key' },
      limits: { timeoutMs: 5_000 },
      scale: { min: 1, max: 2 },
    };
    await releases.release({ ...PRODUCTION, deployment: base });
    const old = await releases.change({ ...PRODUCTION, kind: 'variables', change: () => first });
    versions['key'] = 4;
    const empty = { variables: { K: '@key', L: '1' }, limits: {} };
    const next = await releases.change({
      ...PRODUCTION,
      kind: 'variables',
      change: () => empty,
      secrets: 'newest',
    });
    expect([old?.secrets, next?.secrets]).toStrictEqual([{ key: 3 }, { key: 4 }]);
    const back = await releases.rollback({ ...PRODUCTION, to: 2 });
    expect(back).toMatchObject({
      baseId: base.id,
      deploymentId: old?.deploymentId,
      settings: first,
      secrets: { key: 3 },
    });
    expect(await store.environment('shop', 'production')).toMatchObject({ settings: first });
  });

  it('makes automatic deploys wait until the next release by hand; settings do not end it', async () => {
    const { releases, deploy, store } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await releases.release({ ...PRODUCTION, deployment: one });
    await releases.release({ ...PRODUCTION, deployment: two });
    await releases.rollback(PRODUCTION);
    const automatic = () => releases.release({ ...PRODUCTION, deployment: two, isAutomatic: true });
    await expect(automatic()).rejects.toMatchObject({ code: 'ENVIRONMENT_PAUSED' });
    const change = () => ({ variables: { A: '1' }, limits: {} });
    await releases.change({ ...PRODUCTION, kind: 'variables', change });
    await expect(automatic()).rejects.toMatchObject({
      code: 'ENVIRONMENT_PAUSED',
      detail: 'v2 was rolled back to v1 by me.',
    });
    await releases.release({ ...PRODUCTION, deployment: two });
    expect((await store.environment('shop', 'production'))?.pausedBecause).toBeUndefined();
    await automatic();
  });

  it('says what is missing before it touches anything', async () => {
    const { releases, deploy, deployer, servedBy, store } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await expect(releases.rollback(PRODUCTION)).rejects.toMatchObject({
      code: 'NOTHING_TO_ROLL_BACK',
    });
    await releases.release({ ...PRODUCTION, deployment: one });
    await expect(releases.rollback(PRODUCTION)).rejects.toMatchObject({
      code: 'NOTHING_TO_ROLL_BACK',
    });
    await expect(releases.rollback({ ...PRODUCTION, to: 9 })).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
    });
    await expect(releases.rollback({ ...PRODUCTION, to: 1 })).rejects.toMatchObject({
      detail: 'v1 is current.',
    });
    await releases.release({ ...PRODUCTION, deployment: two });
    await deployer.remove(one);
    await expect(releases.rollback(PRODUCTION)).rejects.toMatchObject({ code: 'IMAGE_GONE' });
    expect(await servedBy('shop.localhost')).toBe(two.id);
    expect(await store.environment('shop', 'production')).toMatchObject({ current: 2, latest: 2 });
  });

  it('works when what the old release was made of was removed since', async () => {
    const { releases, deploy, deployer, servedBy } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await releases.release({ ...PRODUCTION, deployment: one });
    const change = () => ({ variables: { A: '1' }, limits: {} });
    const derived = await releases.change({ ...PRODUCTION, kind: 'variables', change });
    await releases.release({ ...PRODUCTION, deployment: two });
    await deployer.remove(one);
    await releases.rollback(PRODUCTION);
    expect(await servedBy('shop.localhost')).toBe(derived?.deploymentId);
  });
});

describe('settings', () => {
  it('wait for the first release, and change nothing by being set again', async () => {
    const { releases, deploy, store } = await world();
    const change = () => ({ variables: { A: '1' }, limits: {} });
    expect(await releases.change({ ...PRODUCTION, kind: 'variables', change })).toBeUndefined();
    const deployment = await deploy('one');
    const made = await releases.release({ ...PRODUCTION, deployment });
    expect(made.settings.variables).toStrictEqual({ A: '1' });
    expect(await releases.change({ ...PRODUCTION, kind: 'variables', change })).toBeUndefined();
    expect(await store.releases({ project: 'shop' })).toHaveLength(1);
  });

  it('of scale restart nothing, keep so many awake, and a superseded release keeps none', async () => {
    const { releases, deploy, fleet } = await world();
    const limits = { maxConcurrentReqs: 1, durationMs: 300_000, timeoutMs: 1_000 };
    const [one, two] = [await deploy('one', { limits }), await deploy('two', { limits })];
    await releases.release({ ...PRODUCTION, deployment: one });
    const change = () => ({ variables: {}, limits: {}, scale: { min: 2, max: 4 } });
    const made = await releases.change({ ...PRODUCTION, kind: 'scale', change });
    expect(made).toMatchObject({ deploymentId: one.id, because: 'Scale to 2–4 instances' });
    const awake = (id: string) =>
      fleet.instances(id).filter(({ state }) => state === 'ready').length;
    expect(awake(one.id)).toBe(2);
    await releases.release({ ...PRODUCTION, deployment: two });
    expect(awake(two.id)).toBe(2);
    await expect.poll(() => awake(one.id), { timeout: 5_000 }).toBe(0);
    expect(awake(two.id)).toBe(2);
  });

  it('of two environments with one deployment: it keeps the higher minimum', async () => {
    const { releases, deploy, fleet } = await world();
    const deployment = await deploy('one');
    await releases.release({ ...PRODUCTION, deployment });
    await releases.release({ ...STAGING, deployment });
    const scaled = (min: number) => () => ({ variables: {}, limits: {}, scale: { min, max: 5 } });
    await releases.change({ ...PRODUCTION, kind: 'scale', change: scaled(1) });
    await releases.change({ ...STAGING, kind: 'scale', change: scaled(3) });
    expect(fleet.instances(deployment.id)).toHaveLength(3);
  });
});

describe('who uses a deployment', () => {
  it('is who runs it or what was made of it, and not who did once', async () => {
    const { releases, deploy } = await world();
    const [one, two] = [await deploy('one'), await deploy('two')];
    await releases.release({ ...PRODUCTION, deployment: one });
    const change = () => ({ variables: { A: '1' }, limits: {} });
    const derived = await releases.change({ ...PRODUCTION, kind: 'variables', change });
    for (const id of [one.id, derived?.deploymentId ?? '']) {
      expect(await releases.usersOf(id)).toMatchObject([{ number: 2, state: 'current' }]);
    }
    await releases.release({ ...PRODUCTION, deployment: two });
    expect(await releases.usersOf(one.id)).toStrictEqual([]);
  });
});

describe('environments', () => {
  it('production and staging are there from the start, others when they are made or released to', async () => {
    const { releases, deploy, servedBy, store } = await world();
    const names = async () => (await releases.environments('shop')).map(({ name }) => name);
    expect(await names()).toStrictEqual(['production', 'staging']);
    const deployment = await deploy('one');
    await releases.release({ ...PRODUCTION, environment: 'preview/Fix/Cart', deployment });
    await releases.make('shop', 'qa');
    expect(await names()).toStrictEqual(['production', 'staging', 'preview/Fix/Cart', 'qa']);
    await expect(releases.environment('shop', 'nothing')).rejects.toMatchObject({
      code: 'ENVIRONMENT_NOT_FOUND',
    });
    await releases.release({ ...PRODUCTION, environment: 'qa', deployment });
    expect(await servedBy('shop-qa.localhost')).toBe(deployment.id);
    expect(await releases.usersOf(deployment.id)).toHaveLength(2);
    await releases.remove('shop', 'qa');
    expect(await servedBy('shop-qa.localhost')).toBeUndefined();
    expect(await names()).toStrictEqual(['production', 'staging', 'preview/Fix/Cart']);
    expect(await store.deployment(deployment.id)).toBeDefined();
  });
});
