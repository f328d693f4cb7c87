/** Login links, tokens, teams, plans and the rate of deploys, over real sockets. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../client/client.ts';
import { systemClock } from '../system/clock.ts';
import { openTestServer, type TestServer } from './fixtures/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer({ deployRate: { burst: 3, everyMs: 3_600_000 } });
}, 60_000);
afterAll(() => server.close());

const anonymous = () =>
  createClient({ url: server.url, token: '', sleep: (ms) => systemClock.sleep(ms) });

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: { readonly code: string }) => error.code,
  );
}

describe('the first start', () => {
  test('leaves one login link for the owner, which only the owner of the files can read', async () => {
    const file = join(server.folder, 'login-link');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const link = (await readFile(file, 'utf8')).trim();
    const page = await fetch(link);
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).toContain(`berth login '${link}'`);
    const code = new URL(link).searchParams.get('code') ?? '';
    const made = await anonymous().redeem(code);
    expect(made).toMatchObject({ name: 'owner', role: 'owner', team: null, kind: 'login' });
    expect(made.value).toMatch(/^berth_[0-9a-z]{52}$/);
    expect(await server.as(made.value).whoami()).toMatchObject({ name: 'owner', role: 'owner' });
    // It works no more, and is nowhere to be found.
    expect(await codeOf(anonymous().redeem(code))).toBe('LOGIN_INVALID');
    await expect.poll(() => stat(file).catch(() => undefined)).toBeUndefined();
  });
});

describe('a login link', () => {
  const invite = async (name: string) => {
    const { path } = await server.local.invite({ name, role: 'member' });
    return new URL(path, server.url);
  };

  test('makes exactly one token, however many try it at once', async () => {
    const link = await invite('ann');
    const code = link.searchParams.get('code') ?? '';
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () => anonymous().redeem(code)),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const tokens = (await server.local.tokens()).filter(({ name }) => name.startsWith('ann'));
    expect(tokens).toMatchObject([{ name: 'ann', team: 'default', role: 'member' }]);
  });

  test('is not used up by looking at its page, and the button of the page gives the token', async () => {
    const link = await invite('bob');
    for (let look = 0; look < 3; look += 1) expect((await fetch(link)).status).toBe(200);
    const body = new URLSearchParams({ code: link.searchParams.get('code') ?? '' });
    const page = await fetch(new URL('/login', link), { method: 'POST', body });
    const token = /berth_[0-9a-z]{52}/.exec(await page.text())?.[0] ?? '';
    expect(await server.as(token).whoami()).toMatchObject({ name: 'bob', team: 'default' });
    const again = await fetch(new URL('/login', link), { method: 'POST', body });
    expect(again.status).toBe(403);
    expect(await again.text()).toContain('LOGIN_INVALID');
  });

  test('for a name that somebody has makes the next one, so that the log stays readable', async () => {
    const link = await invite('bob');
    const made = await anonymous().redeem(link.searchParams.get('code') ?? '');
    expect(made.name).toBe('bob-2');
  });
});

describe('a token', () => {
  test('is shown once, is in no list, and stands in the data file as a hash only', async () => {
    const made = await server.local.addToken({ name: 'shown', team: null });
    const listed = JSON.stringify(await server.local.tokens());
    expect(listed).toContain('shown');
    expect(listed).not.toContain(made.value);
    for (const name of ['berth.db', 'berth.db-wal']) {
      const bytes = await readFile(join(server.folder, name)).catch(() => Buffer.alloc(0));
      expect(bytes.includes(made.value.slice('berth_'.length))).toBe(false);
    }
  });

  test('does only what its verbs say, for its projects, and neither more nor less', async () => {
    const { value } = await server.local.addToken({
      name: 'scoped',
      role: 'member',
      team: 'default',
      can: ['deploy'],
      projects: ['shop', 'toys'],
    });
    const id = await server.deploy('shop', value);
    expect(await codeOf(server.as(value).deployments())).toBe('FORBIDDEN');
    expect(await codeOf(server.as(value).remove(id))).toBe('FORBIDDEN');
    const answer = await server.ask(value, 'POST', '/api/v1/deployments', {
      project: 'other',
      source: { kind: 'image', reference: 'any' },
    });
    expect(answer).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(answer.text).toContain('for shop, toys only, not for other');
  });

  test('sees within its team only its own projects', async () => {
    const other = await server.deploy('else');
    const { value } = await server.local.addToken({
      name: 'narrow',
      role: 'viewer',
      team: 'default',
      projects: ['shop'],
    });
    const seen = await server.as(value).deployments();
    expect(seen.map(({ project }) => project)).toStrictEqual(['shop']);
    expect(await codeOf(server.as(value).deployment(other))).toBe('DEPLOYMENT_NOT_FOUND');
    expect((await server.as(value).status()).counts.deployments).toStrictEqual({ ready: 1 });
  });

  test('cannot make another that may more than itself', async () => {
    const { value } = await server.local.addToken({
      name: 'chief',
      role: 'owner',
      team: 'default',
    });
    const chief = server.as(value);
    expect(await codeOf(chief.addToken({ name: 'all', team: null }))).toBe('FORBIDDEN');
    expect(await codeOf(chief.addToken({ name: 'x', team: 'absent' }))).toBe('TEAM_NOT_FOUND');
    expect(await chief.addToken({ name: 'equal', role: 'owner' })).toMatchObject({
      team: 'default',
      role: 'owner',
    });
    const { value: limited } = await chief.addToken({
      name: 'limited',
      role: 'owner',
      can: ['team', 'read'],
      projects: ['shop'],
    });
    const wide = server.as(limited);
    expect(await codeOf(wide.addToken({ name: 'more', can: ['deploy'] }))).toBe('FORBIDDEN');
    expect(await codeOf(wide.addToken({ name: 'more', role: 'viewer' }))).toBe('FORBIDDEN');
    expect(await wide.addToken({ name: 'less', role: 'viewer', projects: ['shop'] })).toMatchObject(
      { projects: ['shop'] },
    );
  });

  test('is refused from the moment it is removed, in streams that are open too', async () => {
    const id = await server.deploy('stream');
    const { id: tokenId, value } = await server.local.addToken({ name: 'reader', role: 'viewer' });
    const stream = await fetch(`${server.url}/api/v1/deployments/${id}/logs?follow=true`, {
      headers: { authorization: `Bearer ${value}` },
    });
    expect(stream.status).toBe(200);
    const reader = stream.body?.getReader();
    await reader?.read();
    const ended = (async () => {
      for (;;) if ((await reader?.read())?.done !== false) return 'ended';
    })().catch(() => 'ended');
    await server.local.removeToken(tokenId);
    expect(await ended).toBe('ended');
    expect(await codeOf(server.as(value).whoami())).toBe('UNAUTHORIZED');
  });

  test('is good until it expires, and a stream ends with it', async () => {
    const id = await server.deploy('stream');
    const { value } = await server.local.addToken({
      name: 'short',
      role: 'viewer',
      expiresInMs: 1_500,
    });
    expect((await server.as(value).whoami()).expiresAt).toBeDefined();
    const lines = server.as(value).followLogs(id);
    // The stream ends, the client comes back, and is refused.
    expect(await codeOf(lines.next())).toBe('UNAUTHORIZED');
  });

  test('shows when it was last used', async () => {
    const { id, value } = await server.local.addToken({ name: 'used', role: 'viewer' });
    const lastUse = async () =>
      (await server.local.tokens()).find((one) => one.id === id)?.lastUsedAt;
    expect(await lastUse()).toBeUndefined();
    await server.as(value).whoami();
    await expect.poll(lastUse).toBeDefined();
  });
});

describe('a team', () => {
  test('has its own projects, is removed only when nothing is deployed, and its tokens go with it', async () => {
    await server.local.addTeam('green');
    expect(await codeOf(server.local.addTeam('green'))).toBe('TEAM_EXISTS');
    const { value } = await server.local.addToken({ name: 'dev', role: 'member', team: 'green' });
    const id = await server.deploy('leaf', value);
    expect((await server.as(value).deployments()).map((one) => one.id)).toStrictEqual([id]);
    expect(await codeOf(server.local.removeTeam('green'))).toBe('TEAM_IN_USE');
    await server.as(value).remove(id);
    await server.local.removeTeam('green');
    expect(await codeOf(server.as(value).whoami())).toBe('UNAUTHORIZED');
    expect(await codeOf(server.local.removeTeam('default'))).toBe('TEAM_IN_USE');
    expect((await server.local.teams()).map(({ name }) => name)).toStrictEqual(['default']);
  });

  test('is on a preset, or a plan of the operator’s own, which stays while a team is on it', async () => {
    await server.local.addTeam('red', 'oss');
    expect(await server.local.teams()).toContainEqual(
      expect.objectContaining({ name: 'red', quota: { instances: 3, requests: 500 } }),
    );
    expect(await codeOf(server.local.setTeamPlan('red', 'absent'))).toBe('PLAN_NOT_FOUND');
    await server.local.setPlan('tiny', { instances: 1 });
    await server.local.setTeamPlan('red', 'tiny');
    await server.local.setPlan('tiny', { instances: 2, requests: 9 });
    expect(await server.local.teams()).toContainEqual(
      expect.objectContaining({ name: 'red', quota: { instances: 2, requests: 9 } }),
    );
    expect(await codeOf(server.local.removePlan('tiny'))).toBe('PLAN_IN_USE');
    expect(await codeOf(server.local.setPlan('oss', {}))).toBe('PLAN_IN_USE');
    await server.local.removeTeam('red');
    await server.local.removePlan('tiny');
  });
});

describe('the audit log', () => {
  test('keeps what was refused, but not what was no request', async () => {
    const ask = (token: string, method: string, path: string, body?: unknown) =>
      server.ask(token, method, `/api/v1${path}`, body);
    const { value } = await server.local.addToken({ name: 'onlooker', role: 'viewer' });
    await server.local.makeProject('shop');
    const newest = async () => (await server.local.audit({ limit: 1 }))[0];
    const before = await newest();
    for (const answer of [
      await ask(server.token, 'POST', '/teams', { name: 'No Name' }),
      await ask(server.token, 'PUT', '/aliases', { hostname: '://', target: 'shop' }),
      await ask(server.token, 'POST', '/secrets', { name: 'empty', value: '' }),
      await ask(server.token, 'PUT', `/projects/shop/environments/${'%20'.repeat(300)}`),
    ]) {
      expect(answer.status).toBe(400);
    }
    expect(await newest()).toStrictEqual(before);
    const long = 'x'.repeat(300);
    expect((await ask(value, 'DELETE', `/projects/${long}`)).code).toBe('FORBIDDEN');
    const line = await newest();
    expect(line).toMatchObject({ actor: 'onlooker', failure: 'FORBIDDEN' });
    expect(line?.subject).toMatch(/^\/api\/v1\/projects\/x+$/);
    expect(line?.subject.length).toBe(200);
  });
});

describe('the address in the audit log', () => {
  const claim = async (given: TestServer) => {
    const headers = {
      authorization: `Bearer ${given.token}`,
      'content-type': 'application/json',
      'x-forwarded-for': '203.0.113.9',
    };
    const body = JSON.stringify({ name: 'absent', plan: 'absent' });
    await fetch(`${given.url}/api/v1/teams`, { method: 'POST', headers, body });
    return (await given.local.audit({ limit: 1 }))[0]?.address;
  };

  test('is that of the connection, whatever the request says', async () => {
    expect(await claim(server)).toBe('127.0.0.1');
  });

  test('is what a trusted proxy says', async () => {
    const behind = await openTestServer({ trustedProxies: ['127.0.0.0/8'] });
    try {
      expect(await claim(behind)).toBe('203.0.113.9');
    } finally {
      await behind.close();
    }
  });
});

describe('deploys', () => {
  test('have a rate for each team and each token, and none for the local one', async () => {
    await server.local.addTeam('busy');
    const { value } = await server.local.addToken({ name: 'ci', role: 'member', team: 'busy' });
    for (const project of ['one', 'two', 'three']) await server.deploy(project, value);
    const body = { project: 'four', source: { kind: 'image', reference: 'any' } };
    const refused = await server.ask(value, 'POST', '/api/v1/deployments', body);
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    // Another token of the same team has no turn left either; another team has.
    const { value: other } = await server.local.addToken({ name: 'b', team: 'busy' });
    expect((await server.ask(other, 'POST', '/api/v1/deployments', body)).code).toBe(
      'RATE_LIMITED',
    );
    await server.local.addTeam('calm');
    const { value: calm } = await server.local.addToken({ name: 'c', team: 'calm' });
    await server.deploy('five', calm);
    for (let index = 0; index < 5; index += 1) await server.deploy('local');
    expect((await server.local.audit({ team: 'busy', limit: 1 }))[0]).toMatchObject({
      action: 'deployment.created',
      failure: 'RATE_LIMITED',
    });
  });
});
