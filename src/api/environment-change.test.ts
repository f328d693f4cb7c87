/** Projects made without a deploy, names without deployments, and changes of an environment as one release. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from './fixtures/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

const image = (name: string) => ({
  kind: 'image' as const,
  reference: `docker.io/library/${name}:1`,
});
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('projects', () => {
  it('are made for a team without a deploy, and listed to those who may see them', async () => {
    await server.local.addTeam('blue');
    expect(await server.local.makeProject('sea', 'blue')).toStrictEqual({
      name: 'sea',
      team: 'blue',
    });
    expect(await server.local.makeProject('sea')).toStrictEqual({ name: 'sea', team: 'blue' });
    expect(await codeOf(server.local.makeProject('sea', 'default'))).toBe('PROJECT_TAKEN');
    expect(await codeOf(server.local.makeProject('air', 'none'))).toBe('TEAM_NOT_FOUND');
    await server.local.makeProject('land');
    const { value } = await server.local.addToken({ name: 'b', role: 'member', team: 'blue' });
    expect(await server.as(value).projects()).toStrictEqual([{ name: 'sea', team: 'blue' }]);
    expect((await server.local.projects()).map(({ name }) => name)).toStrictEqual(['land', 'sea']);
  });

  it('tell which deployment something would be, and make none', async () => {
    await server.local.makeProject('named');
    const asked = { configuration: {}, source: image('named') };
    const before = await server.local.identify('named', asked);
    expect(before.isReady).toBe(false);
    expect(await server.local.deployments('named')).toStrictEqual([]);
    const id = await server.deploy('named');
    expect(before.deployment).toBe(id);
    expect(await server.local.identify('named', asked)).toStrictEqual({
      deployment: id,
      isReady: true,
    });
    const other = { ...asked, configuration: { idle: 'stop' as const } };
    expect((await server.local.identify('named', other)).deployment).not.toBe(id);
    const byName = { source: { kind: 'deployment' as const, name: id } };
    expect(
      (await server.local.identify('named', { configuration: {}, ...byName })).deployment,
    ).toBe(id);
  });
});

describe('a change of an environment', () => {
  it('is one release, whatever it changes together', async () => {
    const id = await server.deploy('shop');
    const { release, environment } = await server.local.changeEnvironment('shop', 'production', {
      deployment: id,
      set: { COLOUR: 'red', SIZE: 'big' },
      limits: { maxConcurrentReqs: 3 },
      scale: { min: 0, max: 2 },
      seen: 0,
    });
    expect(release).toMatchObject({ number: 1, kind: 'deploy', base: id });
    expect(release?.because).toBe(
      `Deploy ${id}; Set COLOUR, SIZE; Scale to 0–2 instances; Limit maxConcurrentReqs to 3`,
    );
    expect(environment.settings).toStrictEqual({
      variables: ['COLOUR', 'SIZE'],
      limits: { maxConcurrentReqs: 3 },
      scale: { min: 0, max: 2 },
    });
    const next = await server.local.changeEnvironment('shop', 'production', {
      set: { COLOUR: 'blue' },
      unset: ['SIZE'],
      limits: { maxConcurrentReqs: null, timeout: 5_000 },
      seen: 1,
    });
    expect(next.release).toMatchObject({ number: 2, kind: 'variables', base: id });
    expect(await server.local.variables('shop', 'production')).toStrictEqual({ COLOUR: 'blue' });
    expect(next.environment.settings.limits).toStrictEqual({ timeout: 5_000 });
    expect(next.environment.settings.scale).toStrictEqual({ min: 0, max: 2 });
    const same = await server.local.changeEnvironment('shop', 'production', {
      set: { COLOUR: 'blue' },
    });
    expect(same.release).toBeUndefined();
    const promoted = await server.local.changeEnvironment('shop', 'staging', {
      from: 'production',
      set: { COLOUR: 'green' },
    });
    expect(promoted.release?.because).toBe(`Promote ${id} from production v2; Set COLOUR`);
  });

  it('waits for the first release where nothing runs yet', async () => {
    await server.local.makeProject('early');
    const made = await server.local.changeEnvironment('early', 'qa', { set: { A: '1' }, seen: 0 });
    expect(made.release).toBeUndefined();
    expect(made.environment.settings.variables).toStrictEqual(['A']);
  });

  it('is refused whole: decided on an older release, unknown secret, unknown deployment, other project', async () => {
    const [mine, theirs] = [await server.deploy('mine'), await server.deploy('theirs')];
    await server.local.changeEnvironment('mine', 'production', { deployment: mine });
    const change = (body: Parameters<typeof server.local.changeEnvironment>[2]) =>
      codeOf(server.local.changeEnvironment('mine', 'production', body));
    expect(await change({ set: { A: '1' }, seen: 0 })).toBe('PLAN_OUTDATED');
    expect(await change({ deployment: mine, seen: 7 })).toBe('PLAN_OUTDATED');
    expect(await change({ set: { A: '@none' } })).toBe('SECRET_NOT_FOUND');
    expect(await change({ deployment: 'none' })).toBe('DEPLOYMENT_NOT_FOUND');
    expect(await change({ deployment: theirs })).toBe('DEPLOYMENT_NOT_FOUND');
    expect(await change({ from: 'staging' })).toBe('RELEASE_NOT_FOUND');
    expect(await change({ from: 'staging', deployment: mine })).toBe('INVALID_INPUT');
    expect(await change({ scale: { min: 3, max: 2 } })).toBe('INVALID_INPUT');
    expect(await server.local.releases('mine', 'production')).toHaveLength(1);
  });

  it('needs the verb `release` for what runs, and `configure` alone for settings', async () => {
    const id = await server.deploy('scoped');
    const { value } = await server.local.addToken({
      name: 'configures',
      role: 'member',
      can: ['configure', 'read'],
    });
    const client = server.as(value);
    const change = (body: Parameters<typeof client.changeEnvironment>[2]) =>
      codeOf(client.changeEnvironment('scoped', 'production', body));
    expect(await change({ deployment: id })).toBe('FORBIDDEN');
    expect(await change({ set: { A: '1' } })).toBe('done');
  });
});
