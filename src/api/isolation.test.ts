/** What one team or one project has is out of reach of the others, whatever they ask for. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../client/client.ts';
import type { BerthError } from '../core/errors.ts';
import { openTestServer, type TestServer } from './fixtures/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
}, 60_000);
afterAll(() => server.close());

async function codeOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'no error',
    (error: BerthError) => error.code,
  );
}

/** Somebody for one project of the team `default`. */
async function onlyFor(project: string, role: 'member' | 'owner' = 'member'): Promise<Client> {
  const name = `${role}-of-${project}`;
  const made = await server.local.addToken({ name, role, team: 'default', projects: [project] });
  return server.as(made.value);
}

describe('an alias', () => {
  const place = (hostname: string, path = '/') => ({ hostname, path });

  test('of a project is neither taken nor undermined by a token for another one', async () => {
    const { local } = server;
    for (const project of ['mine', 'yours']) {
      const deployment = await server.deploy(project);
      await local.release(project, 'production', { deployment });
    }
    await local.setAlias(place('yours.example.com'), 'yours');
    const me = await onlyFor('mine');
    const wanted = [
      place('yours.example.com'),
      place('yours.example.com', '/api'),
      place('*.example.com'),
      place('yours.localhost', '/api'),
      place('yours-staging.localhost', '/api'),
    ];
    for (const one of wanted) {
      expect(await codeOf(me.setAlias(one, 'mine'))).toBe('HOSTNAME_TAKEN');
    }
    expect(await codeOf(me.removeAlias(place('yours.example.com')))).toBe('ALIAS_NOT_FOUND');
    expect((await local.aliases()).map(({ leadsTo }) => leadsTo)).toEqual([
      { project: 'yours', environment: 'production' },
    ]);
    const told = (await local.releases('yours', 'production')).map(({ because }) => because);
    expect(told[0]).toBe('Lead yours.example.com here');
  });

  test('that somebody moves is told in the history of where it led before', async () => {
    const { local } = server;
    await local.setAlias(place('yours.example.com'), 'mine');
    const of = async (project: string) =>
      (await local.releases(project, 'production')).map(({ because }) => because)[0];
    expect(await of('yours')).toBe('Lead yours.example.com here no more');
    expect(await of('mine')).toBe('Lead yours.example.com here');
    const me = server.as(
      (await local.addToken({ name: 'again', team: 'default', projects: ['mine'] })).value,
    );
    await me.setAlias(place('yours.example.com'), 'mine/staging');
    await me.removeAlias(place('yours.example.com'));
  });
});

describe('an owner for one project', () => {
  test('sees, makes and removes tokens for that project only', async () => {
    const { local } = server;
    await local.addToken({ name: 'viewer', role: 'viewer', team: 'default' });
    const { id: wide } = await local.addToken({ name: 'wide', projects: ['mine', 'yours'] });
    const { id: theirs } = await local.addToken({ name: 'theirs', projects: ['yours'] });
    const me = await onlyFor('mine', 'owner');
    const { id: own } = await me.addToken({ name: 'own', role: 'viewer', projects: ['mine'] });
    const seen = await me.tokens();
    expect(seen.map(({ name }) => name)).toContain('own');
    for (const { projects } of seen) expect(projects).toEqual(['mine']);
    const all = await local.tokens();
    const others = all.filter(({ projects }) => projects?.join() !== 'mine').map(({ id }) => id);
    expect(others).toEqual(expect.arrayContaining([wide, theirs]));
    for (const id of others) expect(await codeOf(me.removeToken(id))).toBe('TOKEN_NOT_FOUND');
    await me.removeToken(own);
    expect((await local.tokens()).length).toBe(all.length - 1);
  });

  test('is none of the platform, also when it is for all teams', async () => {
    const { local } = server;
    const { value } = await local.addToken({
      name: 'platform',
      role: 'owner',
      team: null,
      projects: ['mine'],
    });
    const me = server.as(value);
    expect(await codeOf(me.addTeam('sneaky'))).toBe('FORBIDDEN');
    expect((await server.ask(value, 'GET', '/metrics')).status).toBe(403);
    const seen = await me.tokens();
    for (const { projects } of seen) expect(projects).toEqual(['mine']);
  });
});

describe('an image that was built here', () => {
  test('is nowhere for another team and for a token of another project, by its id as by any name', async () => {
    const { local } = server;
    await local.addTeam('blue');
    const theirs = await server.build('plans');
    expect(theirs).toMatch(/^sha256:[0-9a-f]{64}$/);
    const { value } = await local.addToken({ name: 'blue', team: 'blue' });
    const blue = server.as(value);
    const me = await onlyFor('other-plans');
    const from = (reference: string) => ({
      configuration: {},
      source: { kind: 'image', reference } as const,
    });
    await blue.makeProject('copies');
    const anyone = `sha256:${'0'.repeat(64)}`;
    expect(await codeOf(blue.deploy({ project: 'copies', ...from(theirs) }))).toBe(
      'IMAGE_NOT_FOUND',
    );
    expect(await codeOf(blue.identify('copies', from(theirs)))).toBe('IMAGE_NOT_FOUND');
    expect(await codeOf(me.deploy({ project: 'other-plans', ...from(theirs) }))).toBe(
      'IMAGE_NOT_FOUND',
    );
    // One that nobody built here is what the engine says it is.
    const { deployment } = await blue.deploy({ project: 'copies', ...from(anyone) });
    expect(deployment.project).toBe('copies');
    // Its own team goes on using it.
    expect((await local.deploy({ project: 'plans', ...from(theirs) })).deployment.project).toBe(
      'plans',
    );
    const { value: mate } = await local.addToken({ name: 'mate', team: 'default' });
    const again = await server.as(mate).deploy({ project: 'more-plans', ...from(theirs) });
    expect(again.deployment.project).toBe('more-plans');
  });
});

describe('a team of the same name', () => {
  const SECRET = { value: 'canary of an earlier team' };

  test('has neither the secrets nor the audit log of the one before', async () => {
    const { local } = server;
    await local.addTeam('temp');
    const before = server.as((await local.addToken({ name: 'old', team: 'temp' })).value);
    await before.addSecret('kept', SECRET.value);
    expect((await before.audit()).map(({ action }) => action)).toContain('secret.added');
    await local.removeTeam('temp');
    expect(await codeOf(local.secrets('temp'))).toBe('TEAM_NOT_FOUND');
    await local.addTeam('temp');
    expect(await local.secrets('temp')).toEqual([]);
    const { value } = await local.addToken({ name: 'new', team: 'temp' });
    const after = server.as(value);
    const told = await after.audit();
    expect(told.map(({ action }) => action)).toEqual(['token.added', 'team.added']);
    expect((await after.audit({ since: new Date(0).toISOString() })).length).toBe(2);
    // The log itself loses nothing.
    const all = await local.audit({ team: 'temp' });
    expect(all.map(({ action }) => action)).toContain('secret.added');
    await after.addSecret('kept', 'another');
    expect(await after.secrets()).toMatchObject([{ name: 'kept', versions: [{}] }]);
  });

  test('is not prepared by anybody: a team that is not there has no secrets', async () => {
    const { local } = server;
    const asked = [
      local.secrets('nope'),
      local.addSecret('early', SECRET.value, 'nope'),
      local.rotateSecret('early', SECRET.value, 'nope'),
      local.removeSecret('early', { team: 'nope' }),
    ];
    for (const code of await Promise.all(asked.map(codeOf))) expect(code).toBe('TEAM_NOT_FOUND');
    const { value } = await local.addToken({ name: 'curious', team: 'blue' });
    expect(await codeOf(server.as(value).secrets('default'))).toBe('TEAM_NOT_FOUND');
  });

  test('stays while an alias leads to one of its projects', async () => {
    const { local } = server;
    await local.addTeam('named');
    await local.makeProject('named-app', 'named');
    await local.setAlias({ hostname: 'app.example.net', path: '/' }, 'named-app');
    expect(await codeOf(local.removeTeam('named'))).toBe('TEAM_IN_USE');
    await local.removeAlias({ hostname: 'app.example.net', path: '/' });
    await local.removeTeam('named');
  });
});

describe('a name', () => {
  const image = (reference: string) => ({
    configuration: {},
    source: { kind: 'image', reference } as const,
  });
  const projects = async () => (await server.local.projects()).map(({ name }) => name);

  test('that an environment of another project is going to have makes no new project', async () => {
    const { local } = server;
    const deployment = await server.deploy('early');
    await local.makeEnvironment('early', 'qa');
    const { value } = await local.addToken({ name: 'squatter', team: 'blue' });
    const blue = server.as(value);
    for (const project of ['early-staging', 'early-qa']) {
      const answer = await server.ask(value, 'POST', '/api/v1/projects', { project });
      expect(answer).toMatchObject({ status: 409, code: 'HOSTNAME_TAKEN' });
      expect(answer.text).toContain(`${project}.localhost belongs to another team.`);
      expect(await codeOf(blue.deploy({ project, ...image('a:1') }))).toBe('HOSTNAME_TAKEN');
    }
    for (const environment of ['staging', 'qa']) {
      await local.release('early', environment, { deployment });
    }
    // What nobody is going to have is free, and stays with whoever had it first.
    await blue.makeProject('early-dev');
    expect(await codeOf(local.makeEnvironment('early', 'dev'))).toBe('HOSTNAME_TAKEN');
    expect(await codeOf(local.release('early', 'dev', { deployment }))).toBe('HOSTNAME_TAKEN');
    const own = await server.deploy('early-dev', value);
    await blue.release('early-dev', 'production', { deployment: own });
  });

  test('that was there before the project does not keep either of them from its own', async () => {
    const { local } = server;
    await server.deploy('late-staging', (await local.addToken({ name: 'b', team: 'blue' })).value);
    const deployment = await server.deploy('late');
    await local.release('late', 'production', { deployment });
    expect(await codeOf(local.release('late', 'staging', { deployment }))).toBe('HOSTNAME_TAKEN');
    const [theirs] = await local.deployments('late-staging');
    await local.release('late-staging', 'production', { deployment: theirs?.id ?? '' });
  });

  test('that Berth or a deployment answers at is refused before anything is made', async () => {
    const taken = await server.deploy('answers');
    for (const project of ['berth', taken]) {
      expect(await codeOf(server.build(project))).toBe('HOSTNAME_TAKEN');
      expect(await projects()).not.toContain(project);
    }
  });

  test('is free again when the deploy was refused, and belongs to the deployment from then on', async () => {
    const { local } = server;
    const { value } = await local.addToken({ name: 'first', team: 'blue' });
    const first = server.as(value);
    const missing = { kind: 'folder', manifest: '0'.repeat(64) } as const;
    const unknown = { env: { URL: '@of-default' } };
    await local.addSecret('of-default', 'canary of the default team');
    const theirs = await server.build('answers');
    const refused = [
      first.deploy({ project: 'claimed', configuration: {}, source: missing }),
      // Its own team has no such secret: before it is claimed it is no other team's either.
      first.deploy({ project: 'claimed', ...image('a:1'), configuration: unknown }),
      first.deploy({ project: 'claimed', ...image(theirs) }),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual([
      'UPLOAD_INCOMPLETE',
      'SECRET_NOT_FOUND',
      'IMAGE_NOT_FOUND',
    ]);
    expect(await projects()).not.toContain('claimed');
    const [line] = await first.audit({ limit: 1 });
    expect(line).toMatchObject({ action: 'deployment.created', subject: 'claimed', team: 'blue' });
    await server.deploy('claimed');
    expect((await local.projects()).find(({ name }) => name === 'claimed')?.team).toBe('default');
    expect(await codeOf(first.deploy({ project: 'claimed', ...image('a:1') }))).toBe(
      'PROJECT_TAKEN',
    );
  });

  test('goes to one of two teams that deploy at once', async () => {
    const { local } = server;
    const { value } = await local.addToken({ name: 'racer', team: 'blue' });
    const asked = [server.as(value), local].map((one, index) =>
      one.deploy({
        project: 'raced',
        ...image(`raced:${index}`),
        team: index === 0 ? 'blue' : 'default',
      }),
    );
    const codes = await Promise.all(asked.map(codeOf));
    expect(codes.toSorted()).toEqual(['PROJECT_TAKEN', 'no error']);
    const winner = codes[0] === 'no error' ? 'blue' : 'default';
    expect((await local.projects()).find(({ name }) => name === 'raced')?.team).toBe(winner);
  });
});
