/** Hosts and paths lead where they should, and odd hosts nowhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHost, RouteTable } from './route.ts';

describe('parseHost', () => {
  it.each([
    ['hello.localhost', { host: 'hello.localhost' }],
    ['Hello.LOCALHOST:8080', { host: 'hello.localhost', port: 8080 }],
    ['hello.localhost.', { host: 'hello.localhost' }],
    ['hello.localhost.:80', { host: 'hello.localhost', port: 80 }],
    ['hello.localhost:', { host: 'hello.localhost' }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['[::1]', { host: '[::1]' }],
    ['[::FFFF:127.0.0.1]:8080', { host: '[::ffff:127.0.0.1]', port: 8080 }],
    ['under_score.example', { host: 'under_score.example' }],
  ])('reads %s', (header, expected) => {
    expect(parseHost(header)).toEqual(expected);
  });

  it.each([
    '',
    '.',
    'a..b',
    '.a',
    'a b',
    'a/b',
    'user@host',
    'a:b',
    'a:99999',
    'a:123456',
    'a,b',
    '::1',
    '[::1',
    '[::1]x',
    '<script>',
    'ä.localhost',
    'a\u0000',
    'a'.repeat(256),
  ])('refuses %j', (header) => {
    expect(parseHost(header)).toBeUndefined();
  });

  it('never throws, and what it gives can be read again', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const parsed = parseHost(header);
        if (parsed !== undefined) expect(parseHost(parsed.host)?.host).toBe(parsed.host);
      }),
    );
  });
});

describe('RouteTable', () => {
  const table = new RouteTable({ domain: 'Example.com.', platformHosts: ['Console.example.org'] });
  table.addDeployment('hello-abcd1234');

  it.each(['berth.example.com', '127.0.0.1', 'localhost', '[::1]', 'console.example.org'])(
    'leads %s to the platform',
    (host) => {
      expect(table.resolve(host, '/')).toEqual({ kind: 'platform' });
    },
  );

  it('leads the hostname of a deployment to it', () => {
    expect(table.hostOf('hello-abcd1234')).toBe('hello-abcd1234.example.com');
    expect(table.resolve('hello-abcd1234.example.com', '/any?thing')).toEqual({
      kind: 'deployment',
      deploymentId: 'hello-abcd1234',
    });
  });

  it.each(['example.com', 'other.example.com', 'x.hello-abcd1234.example.com', 'hello-abcd1234'])(
    'knows nothing of %s',
    (host) => {
      expect(table.resolve(host, '/')).toEqual({ kind: 'unknown', host });
    },
  );

  it('never lets a name of the platform go elsewhere', () => {
    table.addDeployment('berth');
    table.removeDeployment('berth');
    table.point('berth', 'production', { deploymentId: 'one-00000000' });
    table.setAlias({ hostname: 'localhost', path: '/', target: one });
    for (const host of ['berth.example.com', 'localhost']) {
      expect(table.resolve(host, '/')).toEqual({ kind: 'platform' });
      expect(table.givenTo(host)).toBe('platform');
    }
  });

  it('forgets a deployment', () => {
    table.addDeployment('gone-11111111');
    table.removeDeployment('gone-11111111');
    expect(table.resolve('gone-11111111.example.com', '/').kind).toBe('unknown');
  });

  it('is not fooled by names that every object has', () => {
    expect(table.resolve('__proto__', '/').kind).toBe('unknown');
    expect(table.resolve('constructor', '/').kind).toBe('unknown');
  });
});

const one = { kind: 'deployment', deploymentId: 'one-00000000' } as const;
const two = { kind: 'deployment', deploymentId: 'two-00000000' } as const;

describe('environments', () => {
  it('answer at names that follow from project and environment, once they point somewhere', () => {
    const table = new RouteTable({ domain: 'example.com' });
    expect(table.resolve('shop.example.com', '/').kind).toBe('unknown');
    expect(table.pointer('shop', 'production')).toBeUndefined();
    table.point('shop', 'production', { deploymentId: 'shop-00000001' });
    table.point('shop', 'preview/cart', { deploymentId: 'shop-00000002' });
    expect(table.resolve('shop.example.com', '/x')).toEqual({
      kind: 'deployment',
      environment: 'shop/production',
      deploymentId: 'shop-00000001',
    });
    expect(table.resolve('shop-preview-cart.example.com', '/x')).toMatchObject({
      deploymentId: 'shop-00000002',
    });
    expect(table.givenTo('shop.example.com')).toEqual({ name: 'shop/production' });
    expect(table.knows('shop.example.com')).toBe(true);
  });

  it('move for all their hostnames at once, and tell of a trial', () => {
    const table = new RouteTable({ domain: 'example.com' });
    const target = { kind: 'environment', project: 'shop', environment: 'production' } as const;
    table.setAlias({ hostname: 'shop.example.org', path: '/', target });
    expect(table.resolve('shop.example.org', '/').kind).toBe('unknown');
    table.point('shop', 'production', { deploymentId: 'shop-00000001' });
    const trial = { deploymentId: 'shop-00000002', percent: 10 };
    table.point('shop', 'production', { deploymentId: 'shop-00000001', trial });
    for (const host of ['shop.example.com', 'shop.example.org']) {
      expect(table.resolve(host, '/')).toMatchObject({ deploymentId: 'shop-00000001', trial });
    }
    table.removeEnvironment('shop', 'production');
    expect(table.resolve('shop.example.com', '/').kind).toBe('unknown');
    expect(table.resolve('shop.example.org', '/').kind).toBe('unknown');
  });

  it('never take the name of a deployment, whichever came first', () => {
    const table = new RouteTable({ domain: 'example.com' });
    table.point('shop-1a2b3c4d', 'production', { deploymentId: 'one-00000000' });
    table.addDeployment('shop-1a2b3c4d');
    const own = { kind: 'deployment', deploymentId: 'shop-1a2b3c4d' };
    expect(table.resolve('shop-1a2b3c4d.example.com', '/')).toEqual(own);
    table.point('shop-1a2b3c4d', 'production', { deploymentId: 'two-00000000' });
    table.removeEnvironment('shop-1a2b3c4d', 'production');
    expect(table.resolve('shop-1a2b3c4d.example.com', '/')).toEqual(own);
  });
});

describe('aliases', () => {
  it('lead the longest path that fits, at the borders of its names only', () => {
    const table = new RouteTable({ domain: 'example.com' });
    const three = { kind: 'deployment', deploymentId: 'three-000000' } as const;
    table.setAlias({ hostname: 'API.example.org.', path: '/v1', target: two });
    table.setAlias({ hostname: 'api.example.org', path: '/', target: one });
    table.setAlias({ hostname: 'api.example.org', path: '/v1/cart', target: three });
    const at = (path: string) => table.resolve('api.example.org', path);
    for (const path of ['/', '/v', '/v10', '/v1x/cart', '/x/v1', '*']) {
      expect(at(path)).toEqual(one);
    }
    for (const path of ['/v1', '/v1/', '/v1?cart', '/v1/car', '/v1/cartoon']) {
      expect(at(path)).toEqual(two);
    }
    expect(at('/v1/cart?x')).toEqual(three);
    table.removeAlias('api.example.org', '/v1/cart');
    expect(at('/v1/cart')).toEqual(two);
    table.setAlias({ hostname: 'api.example.org', path: '/v1', target: three });
    expect(at('/v1')).toEqual(three);
  });

  it('may have wildcards, one label deep, which come last', () => {
    const table = new RouteTable({ domain: 'example.com' });
    table.setAlias({ hostname: '*.example.org', path: '/', target: one });
    table.setAlias({ hostname: 'www.example.org', path: '/shop', target: two });
    table.addDeployment('hello-abcd1234');
    table.setAlias({ hostname: '*.example.com', path: '/', target: one });
    expect(table.resolve('any.example.org', '/')).toEqual(one);
    expect(table.resolve('www.example.org', '/shop')).toEqual(two);
    expect(table.resolve('www.example.org', '/')).toEqual(one);
    expect(table.resolve('hello-abcd1234.example.com', '/')).toMatchObject({
      deploymentId: 'hello-abcd1234',
    });
    for (const host of ['example.org', 'a.b.example.org', 'org']) {
      expect(table.resolve(host, '/').kind).toBe('unknown');
      expect(table.knows(host)).toBe(false);
    }
    expect(table.knows('any.example.org')).toBe(true);
  });

  it('may take a path of a given name, and never all of it', () => {
    const table = new RouteTable({ domain: 'example.com' });
    table.point('shop', 'production', { deploymentId: 'shop-00000001' });
    table.setAlias({ hostname: 'shop.example.com', path: '/', target: one });
    table.setAlias({ hostname: 'shop.example.com', path: '/api', target: two });
    expect(table.resolve('shop.example.com', '/')).toMatchObject({
      deploymentId: 'shop-00000001',
    });
    expect(table.resolve('shop.example.com', '/api/x')).toEqual(two);
  });

  it('are known, and gone when they are removed', () => {
    const table = new RouteTable({ domain: 'example.com' });
    table.setAlias({ hostname: 'only.example.org', path: '/api', target: one });
    expect(table.resolve('only.example.org', '/').kind).toBe('unknown');
    expect(table.knows('only.example.org')).toBe(true);
    table.removeAlias('only.example.org', '/api');
    table.removeAlias('only.example.org', '/other');
    expect(table.knows('only.example.org')).toBe(false);
  });
});
