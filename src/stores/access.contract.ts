/** The contract of `ports/access-store.ts` as tests, called by the contract of the store. */
import { describe, expect, it } from 'vitest';
import type { Invitation, Token } from '../core/access.ts';
import type { OpenedStore } from './store.contract.ts';

const token: Token = {
  id: 't1',
  name: 'ci',
  kind: 'token',
  team: 'default',
  role: 'member',
  hash: 'a1',
  createdAt: 1.5,
  createdBy: 'local',
};
const invitation: Invitation = {
  name: 'ann',
  role: 'owner',
  hash: 'c1',
  createdAt: 1,
  createdBy: 'berth',
  expiresAt: 100,
};

export function accessContract(name: string, fresh: () => Promise<OpenedStore>): void {
  describe(`${name} keeps teams and their projects`, () => {
    it('with the team default from the start, on the unlimited plan', async () => {
      const { store } = await fresh();
      expect(await store.teams()).toMatchObject([{ name: 'default', plan: 'unlimited' }]);
    });

    it('each name once, with the plan that was set last', async () => {
      const { store } = await fresh();
      expect(await store.insertTeam({ name: 'blue', plan: 'oss', createdAt: 5 })).toBe(true);
      expect(await store.insertTeam({ name: 'blue', plan: 'pro', createdAt: 6 })).toBe(false);
      expect(await store.team('blue')).toStrictEqual({ name: 'blue', plan: 'oss', createdAt: 5 });
      expect(await store.setTeamPlan('blue', 'pro')).toBe(true);
      expect(await store.team('blue')).toMatchObject({ plan: 'pro' });
      expect(await store.setTeamPlan('red', 'pro')).toBe(false);
      expect((await store.teams()).map((team) => team.name)).toStrictEqual(['blue', 'default']);
    });

    it('and gives a project to the first of many teams that ask at once', async () => {
      const { store } = await fresh();
      const asked = Array.from({ length: 10 }, (_, index) =>
        store.claimProject({ name: 'shop', team: `t${index}`, createdAt: index }),
      );
      const given = new Set((await Promise.all(asked)).map(({ team }) => team));
      expect(given.size).toBe(1);
      expect(await store.project('shop')).toMatchObject({ name: 'shop', team: [...given][0] });
      expect(await store.project('other')).toBeUndefined();
      await store.deleteProject('shop');
      expect(await store.projects()).toStrictEqual([]);
    });

    it('and removes a team only when it has no project, and then its tokens with it', async () => {
      const { store } = await fresh();
      await store.insertTeam({ name: 'blue', plan: 'oss', createdAt: 5 });
      await store.claimProject({ name: 'shop', team: 'blue', createdAt: 6 });
      await store.insertToken({ ...token, team: 'blue' });
      await store.insertInvitation({ ...invitation, team: 'blue' });
      expect(await store.deleteTeam('blue')).toBe(false);
      expect(await store.tokens()).toHaveLength(1);
      await store.deleteProject('shop');
      expect(await store.deleteTeam('blue')).toBe(true);
      expect(await store.deleteTeam('blue')).toBe(false);
      expect(await store.tokens()).toStrictEqual([]);
      expect(await store.invitations(0)).toStrictEqual([]);
    });

    it('and the projects of one team or of all, by name', async () => {
      const { store } = await fresh();
      for (const [project, team] of [
        ['b', 'default'],
        ['c', 'blue'],
        ['a', 'default'],
      ] as const)
        await store.claimProject({ name: project, team, createdAt: 1 });
      const names = async (filter?: { team: string }) =>
        (await store.projects(filter)).map((project) => project.name);
      expect(await names()).toStrictEqual(['a', 'b', 'c']);
      expect(await names({ team: 'default' })).toStrictEqual(['a', 'b']);
    });
  });

  describe(`${name} keeps tokens`, () => {
    it('found by their hash, with and without every optional fact', async () => {
      const { store } = await fresh();
      const { team: _, ...wide } = token;
      const full: Token = {
        ...wide,
        id: 't2',
        name: 'all',
        hash: 'a2',
        can: ['read', 'deploy'],
        projects: ['shop'],
        expiresAt: 9,
        lastUsedAt: 3,
        createdAt: 2,
      };
      const none: Token = { ...token, id: 't3', name: 'none', hash: 'a3', can: [], createdAt: 3 };
      for (const one of [none, full, token]) expect(await store.insertToken(one)).toBe(true);
      expect(await store.tokens()).toStrictEqual([token, full, none]);
      expect(await store.tokens({ team: 'default' })).toStrictEqual([token, none]);
      expect(await store.tokenByHash('a2')).toStrictEqual(full);
      expect(await store.tokenByHash('nothing')).toBeUndefined();
    });

    it('of a name once in each team, and over all teams', async () => {
      const { store } = await fresh();
      const { team: _, ...wide } = token;
      expect(await store.insertToken(token)).toBe(true);
      expect(await store.insertToken({ ...token, id: 't2', hash: 'a2' })).toBe(false);
      expect(await store.insertToken({ ...token, id: 't3', hash: 'a3', team: 'blue' })).toBe(true);
      expect(await store.insertToken({ ...wide, id: 't4', hash: 'a4' })).toBe(true);
      expect(await store.insertToken({ ...wide, id: 't5', hash: 'a5' })).toBe(false);
    });

    it('and remembers their last use, and forgets what was removed', async () => {
      const { store } = await fresh();
      await store.insertToken(token);
      await store.noteTokenUse('t1', 7);
      expect(await store.tokenByHash('a1')).toStrictEqual({ ...token, lastUsedAt: 7 });
      expect(await store.deleteToken('t1')).toBe(true);
      expect(await store.deleteToken('t1')).toBe(false);
      await store.noteTokenUse('t1', 8);
      expect(await store.tokenByHash('a1')).toBeUndefined();
    });
  });

  describe(`${name} keeps invitations`, () => {
    it('and gives each to exactly one of all who try at once', async () => {
      const { store } = await fresh();
      await store.insertInvitation(invitation);
      const tries = Array.from({ length: 20 }, () => store.redeemInvitation('c1', 50));
      const got = (await Promise.all(tries)).filter((one) => one !== undefined);
      expect(got).toStrictEqual([invitation]);
      expect(await store.invitations(50)).toStrictEqual([]);
    });

    it('until they expire', async () => {
      const { store } = await fresh();
      const full: Invitation = { ...invitation, hash: 'c2', team: 'blue', can: ['read'] };
      await store.insertInvitation(full);
      expect(await store.invitations(99)).toStrictEqual([full]);
      expect(await store.invitations(100)).toStrictEqual([]);
      expect(await store.redeemInvitation('c2', 100)).toBeUndefined();
      expect(await store.redeemInvitation('c3', 1)).toBeUndefined();
    });
  });

  describe(`${name} keeps plans of the operator`, () => {
    it('the last one of a name, with bounds or without', async () => {
      const { store } = await fresh();
      await store.putPlan({ name: 'small', instances: 1, requests: 5 });
      await store.putPlan({ name: 'small', requests: 6 });
      await store.putPlan({ name: 'big' });
      expect(await store.plans()).toStrictEqual([{ name: 'big' }, { name: 'small', requests: 6 }]);
      expect(await store.deletePlan('big')).toBe(true);
      expect(await store.deletePlan('big')).toBe(false);
    });
  });
}
