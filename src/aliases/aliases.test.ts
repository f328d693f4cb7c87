/** Aliases lead requests from the moment they are set, over restarts, and never two teams' ways. */
import { describe, expect, it } from 'vitest';
import { RouteTable } from '../core/route.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { openAliases } from './open.ts';

const SHOP = { kind: 'environment', project: 'shop', environment: 'production' } as const;

async function world() {
  const store = new MemoryStore();
  await store.claimProject({ name: 'shop', team: 'us', createdAt: 0 });
  await store.claimProject({ name: 'bank', team: 'them', createdAt: 0 });
  const teams: Readonly<Record<string, string>> = { shop: 'us', bank: 'them' };
  const open = () => {
    const routes = new RouteTable({ domain: 'localhost' });
    routes.point('shop', 'production', { deploymentId: 'shop-00000001' });
    const aliases = openAliases({
      store,
      routes,
      clock: { now: () => 7, sleep: async () => {} },
      domain: 'localhost',
      teamOf: (project) => teams[project] ?? 'default',
    });
    return { routes, aliases };
  };
  const set = (
    { aliases }: ReturnType<typeof open>,
    hostname: string,
    { path = '/', team = 'us' } = {},
  ) => aliases.set({ hostname, path, target: SHOP, team, createdBy: 'ann' });
  return { open, set, store };
}

describe('an alias', () => {
  it('leads requests once it is set, after a restart too, until it is removed', async () => {
    const { open, set } = await world();
    const first = open();
    const { alias } = await set(first, 'www.example.com');
    expect(alias.createdAt).toBe(7);
    expect(first.routes.resolve('www.example.com', '/')).toMatchObject({
      deploymentId: 'shop-00000001',
    });
    const second = open();
    await second.aliases.load();
    expect(second.routes.knows('www.example.com')).toBe(true);
    await second.aliases.remove(alias);
    expect(second.routes.knows('www.example.com')).toBe(false);
    expect(await second.aliases.list()).toEqual([]);
    await expect(second.aliases.remove(alias)).rejects.toMatchObject({ code: 'ALIAS_NOT_FOUND' });
  });

  it('tells when nothing is there any more', async () => {
    const { open, set } = await world();
    const { routes, aliases } = open();
    const { alias } = await set({ routes, aliases }, 'www.example.com');
    expect(aliases.hasTarget(alias)).toBe(true);
    routes.removeEnvironment('shop', 'production');
    expect(aliases.hasTarget(alias)).toBe(false);
    const target = { kind: 'deployment', deploymentId: 'shop-00000001' } as const;
    expect(aliases.hasTarget({ target })).toBe(false);
    routes.addDeployment('shop-00000001');
    expect(aliases.hasTarget({ target })).toBe(true);
  });

  it('goes to the first of two teams that ask at once', async () => {
    const { open, set } = await world();
    const opened = open();
    const asked = await Promise.allSettled([
      set(opened, 'www.example.com', { team: 'us' }),
      set(opened, '*.example.com', { team: 'them' }),
      set(opened, 'www.example.com', { path: '/api', team: 'them' }),
    ]);
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await opened.aliases.list()).toHaveLength(1);
  });

  it.each(['bank.localhost', 'bank-staging.localhost', 'shop.localhost', 'berth.localhost'])(
    'never takes %s, whoever answers there yet',
    async (hostname) => {
      const { open, set } = await world();
      const opened = open();
      await expect(set(opened, hostname)).rejects.toMatchObject({ code: 'HOSTNAME_TAKEN' });
      expect(await opened.aliases.list()).toEqual([]);
    },
  );

  it('that leads there already stays as it is, and nothing is written', async () => {
    const { open, set } = await world();
    const opened = open();
    const { alias } = await set(opened, 'www.example.com');
    const wanted = { hostname: 'www.example.com', path: '/', target: SHOP, team: 'us' };
    const again = await opened.aliases.set({ ...wanted, createdBy: 'bob' });
    expect(again).toStrictEqual({ alias, before: alias });
    expect(await opened.aliases.list()).toMatchObject([{ createdBy: 'ann' }]);
  });

  it('is never all of a top-level domain, which nobody has', async () => {
    const { open, set } = await world();
    const opened = open();
    await expect(set(opened, '*.com')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await opened.aliases.list()).toEqual([]);
    await expect(set(opened, '*.example.com')).resolves.toBeDefined();
  });

  it('may have a path of what is its team’s own', async () => {
    const { open, set } = await world();
    const opened = open();
    await set(opened, 'shop-staging.localhost', { path: '/api' });
    expect(opened.routes.resolve('shop-staging.localhost', '/api/x').kind).toBe('deployment');
    await expect(set(opened, 'bank.localhost', { path: '/api' })).rejects.toMatchObject({
      code: 'HOSTNAME_TAKEN',
    });
  });
});
