/** Secrets and variables of environments through the API of a whole server on the memory engine. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BerthError } from '../core/errors.ts';
import { openTestServer, type TestServer } from './fixtures/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
}, 60_000);
afterAll(() => server.close());

async function refusal(attempt: Promise<unknown>): Promise<BerthError> {
  try {
    await attempt;
  } catch (error) {
    return error as BerthError;
  }
  throw new Error('nothing was refused');
}

/** The id of a deployment that is ready. */
async function deploy(project: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { deployment } = await server.local.deploy({
    project,
    configuration: { env },
    source: { kind: 'image', reference: `docker.io/library/${project}:1` },
  });
  for await (const event of server.local.progress(deployment.id)) {
    if (event.kind === 'end') expect(event.deployment.failure).toBeUndefined();
  }
  return deployment.id;
}

describe('a secret', () => {
  test('is pinned by what is deployed, and a new value makes another deployment', async () => {
    const { local } = server;
    await local.addSecret('db-url', 'canary one');
    const first = await deploy('pins', { URL: '@db-url', AT: '@@db-url' });
    const shown = await local.deployment(first);
    expect(shown.secrets).toEqual({ 'db-url': 1 });
    expect(shown.configuration.env).toEqual({ URL: '@db-url', AT: '…' });
    expect(await deploy('pins', { URL: '@db-url', AT: '@@db-url' })).toBe(first);
    expect((await local.rotateSecret('db-url', 'canary two')).behind).toEqual([]);
    const second = await deploy('pins', { URL: '@db-url', AT: '@@db-url' });
    expect(second).not.toBe(first);
    const [secret] = (await local.secrets()).filter(({ name }) => name === 'db-url');
    expect(secret).toMatchObject({ version: 2, createdBy: 'local', versions: [{}, {}] });
    const used = secret?.deployments.map(({ id, version }) => [id, version] as const);
    expect(new Map(used)).toEqual(
      new Map([
        [first, 1],
        [second, 2],
      ]),
    );
  });

  test('that is not there stops a deploy before anything is written', async () => {
    const before = await server.local.deployments();
    const error = await refusal(deploy('unknown', { URL: '@nothing', OK: '@db-url' }));
    expect(error.code).toBe('SECRET_NOT_FOUND');
    expect(error.problems.map(({ at }) => at)).toEqual(['env.URL']);
    expect(await server.local.deployments()).toHaveLength(before.length);
  });

  test('is removed only when nobody uses it, or by force', async () => {
    await server.local.addSecret('used', 'canary');
    const id = await deploy('uses', { KEY: '@used' });
    const error = await refusal(server.local.removeSecret('used'));
    expect(error.code).toBe('SECRET_IN_USE');
    expect(error.problems.map(({ at }) => at)).toEqual([id]);
    await server.local.removeSecret('used', { force: true });
    expect((await refusal(server.local.removeSecret('used'))).code).toBe('SECRET_NOT_FOUND');
    expect(await server.local.addSecret('used', 'canary')).toMatchObject({ version: 2 });
  });

  test('is the whole team’s: a token for one project sees those that it names, and cannot change them', async () => {
    const { value } = await server.local.addToken({
      name: 'ci',
      role: 'member',
      team: 'default',
      projects: ['pins'],
    });
    const ci = server.as(value);
    const names = async (client: typeof ci) => (await client.secrets()).map(({ name }) => name);
    expect(await names(ci)).toEqual(['db-url']);
    expect(await names(server.local)).toEqual(expect.arrayContaining(['db-url', 'used']));
    for (const attempt of [
      () => ci.addSecret('mine', 'canary'),
      () => ci.rotateSecret('db-url', 'canary'),
      () => ci.removeSecret('db-url', { force: true }),
      () => ci.rotateSecretsKey(),
    ]) {
      expect((await refusal(attempt())).code).toBe('FORBIDDEN');
    }
  });

  test('leaves lines in the audit log, never with a value, also of what was refused', async () => {
    await refusal(server.local.addSecret('db-url', 'canary that is refused'));
    await server.local.rotateSecretsKey();
    const lines = await server.local.audit();
    const actions = lines.map(({ action, subject }) => `${action} ${subject}`);
    expect(actions).toContain('secret.added db-url');
    expect(actions).toContain('secret.rotated db-url');
    expect(actions).toContain('secret.removed used');
    expect(actions).toContain('secrets.key-rotated secrets.key');
    expect(lines.some(({ failure }) => failure === 'SECRET_EXISTS')).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  test('that is malformed is refused without its value in the answer', async () => {
    for (const body of [
      { name: 'bad name', value: 'canary' },
      { name: 'empty', value: '' },
      { name: 'nul', value: 'canary\0' },
      { name: 'wrong', value: { canary: true } },
      { name: 'long', value: `canary${'x'.repeat(70_000)}` },
    ]) {
      const answer = await server.ask(server.token, 'POST', '/api/v1/secrets', body);
      expect([answer.status, answer.code]).toEqual([400, 'INVALID_INPUT']);
      expect(answer.text).not.toContain('canary');
    }
  });
});

describe('variables of an environment', () => {
  test('wait for its first release, and then each change is one', async () => {
    const { local } = server;
    await local.addSecret('key', 'canary');
    const at = ['waits', 'production'] as const;
    const base = await deploy('waits', { OWN: '1' });
    expect(await local.changeVariables(...at, { set: { A: '@key', B: 'b' } })).toEqual({});
    expect(await local.variables(...at)).toEqual({ A: '@key', B: 'b' });
    const first = await local.release(...at, { deployment: base });
    expect(first).toMatchObject({ number: 1, secrets: { key: 1 } });
    const changed = await local.changeVariables(...at, {
      set: { C: '@@plain' },
      unset: ['B'],
      why: 'because',
    });
    expect(changed.release).toMatchObject({ number: 2, kind: 'variables' });
    expect(changed.release?.because).toContain('because');
    expect(await local.variables(...at)).toEqual({ A: '@key', C: '@@plain' });
    expect(await local.changeVariables(...at, { set: { C: '@@plain' } })).toEqual({});
  });

  test('keep the versions that run until they are told to take the newest', async () => {
    const { local } = server;
    const at = ['waits', 'production'] as const;
    const { behind } = await local.rotateSecret('key', 'canary two');
    expect(behind).toEqual([
      { project: 'waits', environment: 'production', release: 2, version: 1 },
    ]);
    const kept = await local.changeVariables(...at, { set: { D: 'd' } });
    expect(kept.release?.secrets).toEqual({ key: 1 });
    const { release } = await local.takeNewestSecrets(...at);
    expect(release).toMatchObject({ kind: 'secrets', secrets: { key: 2 } });
    expect(await local.takeNewestSecrets(...at)).toEqual({});
  });

  test('that name what is not there, or what cannot be, change nothing', async () => {
    const { local } = server;
    const at = ['waits', 'production'] as const;
    const before = await local.variables(...at);
    const code = async (set: Readonly<Record<string, string>>) =>
      (await refusal(local.changeVariables(...at, { set }))).code;
    expect(await code({ X: '@nothing' })).toBe('SECRET_NOT_FOUND');
    expect(await code({ X: '@not a name' })).toBe('CONFIG_INVALID');
    const unnamed = await refusal(local.changeVariables(...at, { set: { 'no name': 'x' } }));
    expect(unnamed.code).toBe('INVALID_INPUT');
    expect(unnamed.detail).toBe(
      'set.no name in the body is not a variable name: 1 to 256 characters, no "=", no spaces or control characters.',
    );
    expect(await local.variables(...at)).toEqual(before);
  });

  test('of a misspelt environment make none; a preview may be prepared before its branch is deployed', async () => {
    const { local } = server;
    const names = async () => (await local.environments('waits')).map(({ name }) => name);
    const before = await names();
    const attempts = [
      local.changeVariables('waits', 'brandnew', { set: { A: '1' } }),
      local.limit('waits', 'brandnew', { duration: 60_000 }),
      local.scale('waits', 'brandnew', { min: 1 }),
      local.takeNewestSecrets('waits', 'brandnew'),
      local.takeNewestSecrets('waits', 'preview/cart'),
    ];
    for (const attempt of attempts) {
      const error = await refusal(attempt);
      expect(error.code).toBe('ENVIRONMENT_NOT_FOUND');
      expect(error.advice).toContain('`berth environments add`');
    }
    expect(await names()).toEqual(before);
    expect(await local.changeVariables('waits', 'preview/cart', { set: { A: '1' } })).toEqual({});
    await local.makeEnvironment('waits', 'made');
    expect(await local.changeVariables('waits', 'made', { set: { A: '1' } })).toEqual({});
    expect(await names()).toEqual([...before, 'made', 'preview/cart']);
  });
});
