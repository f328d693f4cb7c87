/** Asks every route of the API as everybody: what each may do, what each can see, and that each change leaves a line. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Principal, ROLES, type Role, type Verb } from '../core/access.ts';
import { CATALOGUE } from '../core/errors.ts';
import { verbsOf } from '../core/permission.ts';
import type { DeclaredRoute } from './actor.ts';
import { createApi } from './api.ts';
import { openTestServer, type TestServer } from './fixtures/server.ts';
import type { ApiNeeds, ServerFacts } from './needs.ts';

/** Who may do what: a route that is not here, or needs something else, fails. */
const NEEDED: Readonly<Record<string, Verb | 'anyone' | 'open' | readonly Verb[]>> = {
  'GET /': 'open',
  'GET /docs/errors': 'open',
  'GET /docs/errors/:code': 'open',
  'GET /login': 'open',
  'POST /login': 'open',
  'GET /api/v1/openapi.json': 'open',
  'GET /api/v1/health': 'open',
  'POST /api/v1/login': 'open',
  'GET /api/v1/status': 'anyone',
  'GET /api/v1/whoami': 'anyone',
  'GET /api/v1/slots': 'anyone',
  'GET /api/v1/authority': 'anyone',
  'POST /api/v1/logout': 'anyone',
  'POST /api/v1/uploads': 'deploy',
  'PUT /api/v1/blobs/:sha256': 'deploy',
  'POST /api/v1/deployments': 'deploy',
  'GET /api/v1/deployments': 'read',
  'GET /api/v1/deployments/:name': 'read',
  'DELETE /api/v1/deployments/:name': 'remove',
  'GET /api/v1/instances': 'read',
  'GET /api/v1/deployments/:name/progress': ['read', 'deploy'],
  'GET /api/v1/deployments/:name/logs': 'read',
  'GET /api/v1/projects': 'read',
  'POST /api/v1/projects': 'deploy',
  'POST /api/v1/projects/:project/identify': 'deploy',
  'PATCH /api/v1/projects/:project/environments/:environment': 'configure',
  'GET /api/v1/projects/:project/environments': 'read',
  'DELETE /api/v1/projects/:project': 'remove',
  'GET /api/v1/projects/:project/environments/:environment': 'read',
  'PUT /api/v1/projects/:project/environments/:environment': 'configure',
  'DELETE /api/v1/projects/:project/environments/:environment': 'remove',
  'POST /api/v1/projects/:project/environments/:environment/scale': 'configure',
  'POST /api/v1/projects/:project/environments/:environment/limits': 'configure',
  'GET /api/v1/projects/:project/environments/:environment/releases': 'read',
  'POST /api/v1/projects/:project/environments/:environment/releases': 'release',
  'POST /api/v1/projects/:project/environments/:environment/rollback': 'release',
  'GET /api/v1/projects/:project/environments/:environment/variables': 'configure',
  'POST /api/v1/projects/:project/environments/:environment/variables': 'configure',
  'POST /api/v1/projects/:project/environments/:environment/secrets': 'configure',
  'GET /api/v1/aliases': 'read',
  'PUT /api/v1/aliases': 'release',
  'DELETE /api/v1/aliases': 'release',
  'GET /api/v1/secrets': 'read',
  'POST /api/v1/secrets': 'configure',
  'POST /api/v1/secrets/:name/versions': 'configure',
  'DELETE /api/v1/secrets/:name': 'configure',
  'GET /api/v1/secrets-key': 'operate',
  'POST /api/v1/secrets-key/rotate': 'operate',
  'GET /api/v1/certificates': 'operate',
  'GET /api/v1/certificates/:hostname': 'operate',
  'PUT /api/v1/certificates/:hostname': 'operate',
  'DELETE /api/v1/certificates/:hostname': 'operate',
  'POST /api/v1/backup': 'operate',
  'GET /api/v1/gc': 'operate',
  'POST /api/v1/gc': 'operate',
  'GET /api/v1/disk': 'operate',
  'GET /api/v1/teams': 'read',
  'POST /api/v1/teams': 'operate',
  'PUT /api/v1/teams/:team/plan': 'operate',
  'DELETE /api/v1/teams/:team': 'operate',
  'GET /api/v1/plans': 'read',
  'PUT /api/v1/plans/:plan': 'operate',
  'DELETE /api/v1/plans/:plan': 'operate',
  'GET /api/v1/tokens': 'team',
  'POST /api/v1/tokens': 'team',
  'DELETE /api/v1/tokens/:id': 'team',
  'POST /api/v1/invitations': 'team',
  'GET /api/v1/audit': 'audit',
  'GET /metrics': 'metrics',
};

let routes: readonly DeclaredRoute[];
let server: TestServer;
/** `viewer of blue`, … `owner of all teams`. */
let people: readonly { readonly who: Pick<Principal, 'role' | 'team'>; readonly token: string }[];
/** Of the team `default`: nobody in `blue` is to learn of it. */
let hidden: string;

const keyOf = ({ method, path }: DeclaredRoute) => `${method} ${path}`;

beforeAll(async () => {
  const found: DeclaredRoute[] = [];
  const facts = () => ({ version: 'test' }) as ServerFacts;
  const app = await createApi({ facts } as ApiNeeds, (route) => found.push(route));
  await app.close();
  routes = found;
  server = await openTestServer();
  hidden = await server.deploy('hidden');
  await server.local.addTeam('blue', 'oss');
  people = await Promise.all(
    [...ROLES.map((role) => ({ role, team: 'blue' })), ...ROLES.map((role) => ({ role }))].map(
      async (who) => ({ who, token: await tokenFor(who) }),
    ),
  );
}, 60_000);
afterAll(() => server.close());

async function tokenFor(who: { readonly role: Role; readonly team?: string }): Promise<string> {
  const { value } = await server.local.addToken({
    name: `${who.role} of ${who.team ?? 'all'}`,
    role: who.role,
    team: who.team ?? null,
  });
  return value;
}

/** A path with these in the place of its parameters. */
function filled(path: string, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => values[name] ?? 'nothing-of-that-name');
}

describe('every route', () => {
  test('needs what the table says, and the table has no other', () => {
    const declared = Object.fromEntries(
      routes.map((route) => [keyOf(route), route.isOpen ? 'open' : route.verb]),
    );
    expect(declared).toStrictEqual(NEEDED);
  });

  test('that is not open refuses who has no token, and one that was never given out', async () => {
    for (const route of routes.filter(({ isOpen }) => !isOpen)) {
      const path = filled(route.path, {});
      const bare = await fetch(`${server.url}${path}`, { method: route.method });
      expect(`${keyOf(route)} ${bare.status}`).toBe(`${keyOf(route)} 401`);
      await bare.body?.cancel();
      const guessed = await server.ask(`berth_${'0'.repeat(52)}`, route.method, path);
      expect(guessed.code).toBe('UNAUTHORIZED');
    }
  });

  test('lets in exactly the roles that have what it needs, and says what is missing', async () => {
    for (const { who, token } of people) {
      const own = verbsOf(who);
      for (const route of routes) {
        // The one route that would end the token.
        if (route.isOpen || route.path.endsWith('/logout')) continue;
        const { verb } = route;
        const needed = typeof verb === 'string' ? [verb] : (verb ?? []);
        const isAllowed = verb === 'anyone' || own.some((one) => needed.includes(one));
        const answer = await server.ask(token, route.method, filled(route.path, {}));
        const place = `${who.role} of ${who.team ?? 'all teams'}: ${keyOf(route)}`;
        expect(`${place} ${answer.code === 'FORBIDDEN' ? 'refused' : 'let in'}`).toBe(
          `${place} ${isAllowed ? 'let in' : 'refused'}`,
        );
        if (!isAllowed) {
          expect(answer.status).toBe(403);
          expect(answer.text).toContain(`this needs ${needed[0]}`);
        }
      }
    }
  }, 120_000);
});

describe('what belongs to another team', () => {
  test('is not there: each answer is the same as for a name that nobody ever had', async () => {
    const { token } = people.find(({ who }) => who.team === 'blue' && who.role === 'owner') ?? {
      token: '',
    };
    const id = (await server.local.tokens()).find(({ team }) => team === null)?.id ?? '';
    const real = {
      project: 'hidden',
      name: hidden,
      id,
      team: 'default',
      environment: 'production',
    };
    const absent = {
      project: 'absent',
      name: hidden.replace('hidden', 'absent'),
      id: 'zzzzzzzzzzzz',
      team: 'absents',
      environment: 'production',
    };
    for (const route of routes) {
      if (route.isOpen || route.path.endsWith('/logout')) continue;
      const [one, other] = [
        await server.ask(token, route.method, filled(route.path, real)),
        await server.ask(token, route.method, filled(route.path, absent)),
      ];
      expect(`${keyOf(route)} ${one.status} ${one.code}`).toBe(
        `${keyOf(route)} ${other.status} ${other.code}`,
      );
      // The audit log of one's own team has what one tried oneself.
      if (!route.path.includes(':') && !route.path.endsWith('/audit'))
        expect(one.text).not.toContain('hidden');
    }
    expect((await server.local.deployment(hidden)).id).toBe(hidden);
  }, 60_000);

  test('is not told by lists that are asked for it by name', async () => {
    const { token } = people[2] ?? { token: '' };
    for (const path of [
      '/deployments?project=hidden',
      '/audit?project=hidden',
      '/audit?team=default',
      '/tokens?team=default',
    ]) {
      expect(await server.ask(token, 'GET', `/api/v1${path}`)).toMatchObject({ text: '[]' });
    }
    const instances = await server.ask(token, 'GET', `/api/v1/instances?deployment=${hidden}`);
    expect(instances.code).toBe('DEPLOYMENT_NOT_FOUND');
  });

  test('cannot be reached through what is one’s own', async () => {
    const { token } = people[2] ?? { token: '' };
    const own = await server.deploy('mine', token);
    const secrets = await server.local.addSecret('KEY', 'canary', 'default');
    expect(secrets.team).toBe('default');
    const production = '/api/v1/projects/mine/environments/production';
    const attempts: readonly (readonly [string, string, unknown])[] = [
      ['POST', `${production}/releases`, { deployment: hidden }],
      ['POST', `${production}/releases`, { deployment: `http://${hidden}.localhost` }],
      ['PUT', '/api/v1/aliases', { hostname: 'mine.example.com', target: hidden }],
      ['PUT', '/api/v1/aliases', { hostname: 'mine.example.com', target: 'hidden' }],
      ['PUT', '/api/v1/aliases', { hostname: 'mine.example.com', target: 'hidden/production' }],
      ['GET', '/api/v1/secrets?team=default', undefined],
      ['POST', '/api/v1/secrets?team=default', { name: 'KEY', value: 'taken' }],
      ['POST', '/api/v1/secrets/KEY/versions?team=default', { value: 'taken' }],
      ['DELETE', '/api/v1/secrets/KEY?team=default&force=true', undefined],
      ['POST', `${production}/variables`, { set: { STOLEN: '@KEY' } }],
      ['POST', '/api/v1/tokens', { name: 'x', team: 'default' }],
      ['POST', '/api/v1/tokens', { name: 'x', team: null }],
      ['POST', '/api/v1/invitations', { name: 'x', team: 'default' }],
    ];
    for (const [method, path, body] of attempts) {
      const answer = await server.ask(token, method, path, body);
      const place = `${method} ${path} ${JSON.stringify(body)}`;
      expect(`${place} ${answer.status}`).toMatch(/ 40[0349]$/);
      expect(answer.text).not.toContain('canary');
    }
    expect((await server.local.secrets('default')).map(({ version }) => version)).toStrictEqual([
      1,
    ]);
    // One’s own is there.
    const mine = await server.ask(token, 'POST', `${production}/releases`, { deployment: own });
    expect(mine.status).toBe(201);
  });

  test('cannot be taken: its name is refused, whatever is deployed', async () => {
    const { token } = people[1] ?? { token: '' };
    const body = { project: 'hidden', source: { kind: 'image', reference: 'any' } };
    const answer = await server.ask(token, 'POST', '/api/v1/deployments', body);
    expect(answer).toMatchObject({ status: 409, code: 'PROJECT_TAKEN' });
    const elsewhere = { ...body, project: 'fresh', team: 'default' };
    expect((await server.ask(token, 'POST', '/api/v1/deployments', elsewhere)).code).toBe(
      'TEAM_NOT_FOUND',
    );
    expect(await server.local.deployments('hidden')).toHaveLength(1);
  });
});

describe('the audit log', () => {
  test('has a line for every route that changes something, also when it is refused, and none for what is no request', async () => {
    const { token } = people[0] ?? { token: '' };
    for (const route of routes) {
      if (route.method === 'GET' || route.isOpen || route.path.endsWith('/logout')) continue;
      if (typeof route.action === 'object') {
        // Says why there is nothing to tell.
        expect(route.action.none.length).toBeGreaterThan(20);
        continue;
      }
      for (const one of [token, server.token]) {
        const before = await server.local.audit({ limit: 1 });
        const { status } = await server.ask(one, route.method, filled(route.path, {}), {});
        const [line] = await server.local.audit({ limit: 1 });
        if (one === token) expect(`${keyOf(route)} ${status}`).toBe(`${keyOf(route)} 403`);
        if (status === 400) {
          expect(line).toStrictEqual(before[0]);
          continue;
        }
        expect(`${keyOf(route)} ${line?.action}`).toBe(`${keyOf(route)} ${route.action}`);
        expect(line?.at).not.toBe(before[0]?.at);
        expect(CATALOGUE).toHaveProperty(line?.failure ?? 'INTERNAL');
        expect(line?.actor).toBe(one === token ? 'viewer of blue' : 'local');
      }
    }
  }, 60_000);

  test('says who, with which token, from where, to what, and how it ended', async () => {
    const owner = people.find(({ who }) => who.team === undefined && who.role === 'owner');
    const own = (await server.local.tokens()).find(({ name }) => name === 'owner of all');
    const id = await server.deploy('told', owner?.token);
    const body = { name: 'ci', role: 'member', team: 'blue', can: ['read'] };
    await server.ask(owner?.token ?? '', 'POST', '/api/v1/tokens', body);
    await server.ask(owner?.token ?? '', 'POST', '/api/v1/tokens', body);
    const lines = await server.local.audit({ limit: 3 });
    expect(lines).toMatchObject([
      { action: 'token.added', subject: 'ci', team: 'blue', failure: 'TOKEN_EXISTS' },
      { action: 'token.added', subject: 'ci', detail: 'member of blue; may read' },
      {
        action: 'deployment.created',
        actor: 'owner of all',
        token: own?.id,
        subject: id,
        project: 'told',
        team: 'default',
        address: '127.0.0.1',
      },
    ]);
    expect(lines[1]).not.toHaveProperty('failure');
    expect(await server.local.audit({ project: 'told' })).toHaveLength(1);
    expect((await server.local.audit({ team: 'blue' })).every(({ team }) => team === 'blue')).toBe(
      true,
    );
  });
});
