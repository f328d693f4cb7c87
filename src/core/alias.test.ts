/** Aliases have plain names, and nobody gets another team's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aliasName, leadsInto, parseAlias, refuseAlias, tooWide } from './alias.ts';

describe('parseAlias', () => {
  it.each([
    ['www.example.com', { hostname: 'www.example.com', path: '/' }],
    ['WWW.Example.com.', { hostname: 'www.example.com', path: '/' }],
    ['www.example.com/', { hostname: 'www.example.com', path: '/' }],
    ['www.example.com/Api/v1/', { hostname: 'www.example.com', path: '/Api/v1' }],
    ['*.example.com', { hostname: '*.example.com', path: '/' }],
    ['intranet', { hostname: 'intranet', path: '/' }],
    ['xn--bcher-kva.example/~ann', { hostname: 'xn--bcher-kva.example', path: '/~ann' }],
    ['4.example', { hostname: '4.example', path: '/' }],
  ])('reads %s', (text, expected) => {
    expect(parseAlias(text)).toEqual(expected);
  });

  it.each([
    '',
    '/',
    '/api',
    'https://www.example.com',
    'www.example.com:80',
    'a..b',
    '-a.example',
    'a-.example',
    'a_b.example',
    'a.*.example',
    '*',
    'b*.example',
    '127.0.0.1',
    '[::1]',
    'bücher.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
    'a.example//x',
    'a.example/x//y',
    'a.example/../x',
    'a.example/x/.',
    'a.example/%61',
    'a.example/x?y',
    'a.example/x#y',
    'a.example/ä',
    `a.example/${'x'.repeat(200)}`,
  ])('says what is wrong with %j', (text) => {
    expect(parseAlias(text)).toBeTypeOf('string');
  });

  it('gives names that can be read again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webAuthority(), fc.string()), fc.webPath(), (host, path) => {
        const place = parseAlias(host + path);
        if (typeof place !== 'string') expect(parseAlias(aliasName(place))).toEqual(place);
      }),
    );
  });
});

describe('tooWide', () => {
  it.each([
    ['*.com', true],
    ['*.localhost', true],
    ['*.example.com', false],
    ['com', false],
    ['intranet', false],
  ])('of %s', (hostname, isWide) => {
    const wide = tooWide({ hostname });
    expect(wide !== undefined).toBe(isWide);
    if (isWide) expect(wide).toContain('*.example.');
  });
});

describe('leadsInto', () => {
  const environment = { kind: 'environment', project: 'shop', environment: 'qa' } as const;
  const deployment = { kind: 'deployment', deploymentId: 'shop-1a2b3c4d' } as const;
  it.each([
    [environment, { project: 'shop', environment: 'qa' }, true],
    [environment, { project: 'shop', environment: 'production' }, false],
    [environment, { project: 'shop' }, true],
    [environment, { project: 'bank' }, false],
    [deployment, { project: 'shop' }, true],
    [deployment, { project: 'shop', environment: 'qa' }, false],
    [deployment, { project: 'bank' }, false],
    [deployment, { deploymentId: 'shop-1a2b3c4d' }, true],
    [deployment, { deploymentId: 'shop-00000000' }, false],
    [environment, { deploymentId: 'shop-1a2b3c4d' }, false],
  ])('%o into %o: %s', (target, to, is) => {
    expect(leadsInto({ target }, to)).toBe(is);
  });
});

describe('refuseAlias', () => {
  const ours = { name: 'shop/production', team: 'us', project: 'shop' };
  const leadingTo = (project: string) =>
    ({ kind: 'environment', project, environment: 'production' }) as const;
  const aliases = [
    { hostname: 'www.example.com', path: '/', team: 'them', target: leadingTo('bank') },
    { hostname: '*.example.org', path: '/', team: 'them', target: leadingTo('bank') },
    { hostname: 'our.example.net', path: '/', team: 'us', target: leadingTo('shop') },
    { hostname: 'toys.example.net', path: '/', team: 'us', target: leadingTo('toys') },
    { hostname: 'toys.example.net', path: '/cart', team: 'us', target: leadingTo('shop') },
    { hostname: '*.example.edu', path: '/', team: 'us', target: leadingTo('toys') },
  ];
  it.each([
    ['free.example.com', '/', undefined, true],
    ['our.example.net', '/', undefined, true],
    ['our.example.net', '/api', undefined, true],
    ['*.example.net', '/', undefined, true],
    ['shop.localhost', '/api', ours, true],
    ['shop.localhost', '/', ours, false],
    ['shop.localhost', '/api', { ...ours, team: 'them' }, false],
    ['berth.localhost', '/', 'platform', false],
    ['berth.localhost', '/api', 'platform', false],
    ['www.example.com', '/', undefined, false],
    ['www.example.com', '/api', undefined, false],
    ['*.example.com', '/', undefined, false],
    ['any.example.org', '/', undefined, false],
    ['deep.any.example.org', '/', undefined, true],
    ['example.org', '/', undefined, true],
  ] as const)('of %s%s', (hostname, path, given, may) => {
    const refused = refuseAlias({ hostname, path }, { team: 'us' }, { given, aliases });
    expect(refused === undefined).toBe(may);
  });

  it.each([
    ['free.example.com', '/', undefined, true],
    ['our.example.net', '/', undefined, true],
    ['our.example.net', '/api', undefined, true],
    ['shop.localhost', '/api', ours, true],
    ['toys.example.net', '/', undefined, false],
    ['toys.example.net', '/api', undefined, false],
    ['toys.example.net', '/cart', undefined, true],
    ['*.example.net', '/', undefined, false],
    ['www.example.edu', '/', undefined, false],
    ['*.example.edu', '/', undefined, false],
    ['toys.localhost', '/api', { name: 'toys/production', team: 'us', project: 'toys' }, false],
  ] as const)('for one project, of %s%s', (hostname, path, given, may) => {
    const claimant = { team: 'us', projects: ['shop'] };
    const refused = refuseAlias({ hostname, path }, claimant, { given, aliases });
    expect(refused === undefined).toBe(may);
    // Whoever is for the whole team may have all of them.
    expect(refuseAlias({ hostname, path }, { team: 'us' }, { given, aliases })).toBeUndefined();
  });
});
