/** What is removed goes whole, and what aliases lead to only together with them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BerthError } from '../core/errors.ts';
import { openTestServer, type TestServer } from './fixtures/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

async function refusal(asked: Promise<unknown>): Promise<BerthError> {
  return asked.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: BerthError) => error,
  );
}

const place = (hostname: string) => ({ hostname, path: '/' });
const hostnames = async () => (await server.local.aliases()).map(({ hostname }) => hostname);

test('an environment stays while an alias leads to it, unless that is to go too', async () => {
  const { local } = server;
  const deployment = await server.deploy('leads');
  await local.release('leads', 'qa', { deployment });
  await local.setAlias(place('qa.example.com'), 'leads/qa');
  await local.setAlias(place('www.example.com'), 'leads');
  const error = await refusal(local.removeEnvironment('leads', 'qa'));
  expect(error).toMatchObject({
    code: 'ALIASED',
    detail: 'qa.example.com would lead nowhere.',
    problems: [{ at: 'qa.example.com', message: 'leads to leads/qa' }],
  });
  expect((await local.environment('leads', 'qa')).current?.deployment).toBe(deployment);
  await local.removeEnvironment('leads', 'qa', { withAliases: true });
  expect(await hostnames()).toEqual(['www.example.com']);
  expect((await refusal(local.environment('leads', 'qa'))).code).toBe('ENVIRONMENT_NOT_FOUND');
  const [line] = await local.audit({ limit: 1 });
  expect(line).toMatchObject({
    action: 'environment.removed',
    subject: 'leads/qa',
    detail: 'with qa.example.com',
  });
  // One that is not there takes no alias with it.
  const missing = local.removeEnvironment('leads', 'production', { withAliases: true });
  expect((await refusal(missing)).code).toBe('ENVIRONMENT_NOT_FOUND');
  expect(await hostnames()).toEqual(['www.example.com']);
  await local.removeAlias(place('www.example.com'));
});

test('a deployment stays while an alias leads to it, unless that is to go too', async () => {
  const { local } = server;
  const deployment = await server.deploy('led');
  await local.setAlias(place('led.example.com'), deployment);
  expect((await refusal(local.remove(deployment))).code).toBe('ALIASED');
  expect((await local.deployment(deployment)).id).toBe(deployment);
  await local.remove(deployment, { withAliases: true });
  expect(await hostnames()).toEqual([]);
  expect((await refusal(local.deployment(deployment))).code).toBe('DEPLOYMENT_NOT_FOUND');
});

test('a project goes with all that it has, and its name is free for anybody', async () => {
  const { local } = server;
  await local.addTeam('blue', 'oss');
  const kept = await server.deploy('kept');
  await local.setAlias(place('kept.example.com'), kept);
  const deployment = await server.deploy('goes');
  await local.release('goes', 'production', { deployment });
  await local.release('goes', 'staging', { deployment });
  await local.limit('goes', 'staging', { maxConcurrentReqs: 3 });
  await local.setAlias(place('goes.example.com'), 'goes/staging');
  await local.setAlias(place('one.example.com'), deployment);
  expect((await refusal(local.removeProject('goes'))).problems).toEqual([
    { at: 'goes.example.com', message: 'leads to goes/staging' },
    { at: 'one.example.com', message: `leads to ${deployment}` },
  ]);
  expect(await local.deployments('goes')).toHaveLength(2);
  expect(await local.removeProject('goes', { withAliases: true })).toEqual({
    name: 'goes',
    deployments: 2,
    environments: 2,
    aliases: 2,
  });
  expect(await hostnames()).toEqual(['kept.example.com']);
  expect(await local.deployments('goes')).toEqual([]);
  expect((await local.deployments()).map(({ id }) => id)).toContain(kept);
  for (const asked of [local.environments('goes'), local.removeProject('goes')]) {
    expect((await refusal(asked)).code).toBe('PROJECT_NOT_FOUND');
  }
  const lines = await local.audit({ team: 'default' });
  expect(
    lines.find(({ action, failure }) => action === 'project.removed' && !failure),
  ).toMatchObject({ subject: 'goes', detail: '2 deployments, 2 environments, 2 aliases' });
  expect(await local.makeProject('goes', 'blue')).toEqual({ name: 'goes', team: 'blue' });
  expect(await local.releases('goes', 'production')).toEqual([]);
});

test('nothing is put into a project while it goes', async () => {
  const { local } = server;
  for (let index = 0; index < 3; index += 1) await server.deploy('busy');
  const going = local.removeProject('busy');
  const answers = await Promise.all(
    [local.removeProject('busy'), local.makeEnvironment('busy', 'qa'), server.deploy('busy')].map(
      (asked) =>
        asked.then(
          () => 'done',
          (error: BerthError) => error.code,
        ),
    ),
  );
  const end = await going.then(
    () => 'gone',
    (error: BerthError) => error.code,
  );
  // Whoever came first: either all of it is there and has its project, or none of it.
  const isThere = (await local.projects()).some(({ name }) => name === 'busy');
  const left = (await local.deployments()).filter(({ project }) => project === 'busy');
  expect(answers.filter((answer) => answer !== 'done').length).toBeGreaterThan(0);
  for (const answer of answers) {
    expect(['done', 'PROJECT_BUSY', 'PROJECT_NOT_FOUND', 'DEPLOY_INTERRUPTED']).toContain(answer);
  }
  expect(['gone', 'PROJECT_BUSY']).toContain(end);
  if (left.length > 0) expect(isThere).toBe(true);
});

test('a release or an alias of what stands is told of and adds no line to the history', async () => {
  const { local } = server;
  const deployment = await server.deploy('same');
  const first = await local.release('same', 'staging', { deployment });
  expect(first.isStanding).toBeUndefined();
  const again = await local.release('same', 'staging', { deployment });
  expect(again).toMatchObject({ number: 1, isStanding: true, state: 'current' });
  expect((await local.setAlias(place('same.example.com'), 'same/staging')).isStanding).toBe(
    undefined,
  );
  expect(await local.setAlias(place('same.example.com'), 'same/staging')).toMatchObject({
    isStanding: true,
  });
  const promoted = await local.release('same', 'production', { deployment, isPromotion: true });
  expect(promoted).toMatchObject({
    kind: 'promote',
    because: `Promote ${deployment} from staging v2`,
  });
  await local.setAlias(place('same.example.com'), 'same');
  const told = async (environment: string) =>
    (await local.releases('same', environment)).map(({ because }) => because);
  expect(await told('staging')).toEqual([
    'Lead same.example.com here no more',
    'Lead same.example.com here',
    `Deploy ${deployment}`,
  ]);
  expect(await told('production')).toEqual(['Lead same.example.com here', promoted.because]);
  await local.removeAlias(place('same.example.com'));
});

test('a wildcard for all of a top-level domain is refused in words', async () => {
  const error = await refusal(server.local.setAlias(place('*.com'), 'same'));
  expect(error.code).toBe('INVALID_INPUT');
  expect(error.detail).toBe(
    '*.com is every name under com: put a name of your own in between, such as *.example.com.',
  );
});

test('what is wrong with a request is said in sentences that name the place', async () => {
  const { token } = server;
  const ask = async (method: string, path: string, body?: unknown) => {
    const { text } = await server.ask(token, method, `/api/v1${path}`, body);
    return (JSON.parse(text) as { readonly detail: string }).detail;
  };
  const staging = '/projects/same/environments/staging';
  expect(
    await Promise.all([
      ask('POST', `${staging}/scale`, { min: 'two' }),
      ask('POST', `${staging}/scale`, { min: 1.5 }),
      ask('POST', `${staging}/scale`, { min: 5, max: 1 }),
      ask('POST', `${staging}/releases`, {}),
      ask('POST', `${staging}/limits`, { duration: 1 }),
      ask('POST', `${staging}/variables`, { set: { PORT: 80 } }),
      ask('GET', `${staging}/releases?limit=0`),
      ask('GET', '/projects/same/environments/No%20Name'),
      ask('PUT', '/aliases', { hostname: '' }),
      ask('POST', '/projects', undefined),
      ask('POST', '/deployments', { project: 'same', source: { kind: 'device' } }),
      ask('POST', '/tokens', { name: 'ci', role: 'king' }),
      ask('GET', '/deployments/same/logs?since=yesterday'),
    ]),
  ).toEqual([
    'min in the body has to be a number.',
    'min in the body has to be a whole number.',
    'The body has a min that is greater than its max.',
    'The body needs either `deployment` or `from`.',
    'duration in the body has to be at least 1000.',
    expect.stringMatching(/^set\.PORT in the body has to be text in quotes/) as unknown,
    'limit in the query has to be at least 1.',
    expect.stringMatching(/^environment in the path is neither preview/) as unknown,
    'hostname in the body must not be empty.',
    expect.stringMatching(/^The body (?:has to be an object|is missing)/) as unknown,
    'source.kind in the body is none of those that are known here.',
    'role in the body has to be viewer, member or owner.',
    'since in the query has to be a time such as 2026-11-21T09:00:00Z.',
  ]);
});
