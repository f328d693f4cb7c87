/** Which requests wake a sleeping deployment. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Asking, fitsPattern, mayWake, type WakeRules } from './wake.ts';

const asking = (given: Partial<Asking> = {}): Asking => ({
  method: 'GET',
  path: '/',
  userAgent: 'curl/8',
  ...given,
});

/** Few characters, so that things fit often. */
const path = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '.'), maxLength: 8 });
const pattern = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '.', '*'), maxLength: 8 });
const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
const rules: fc.Arbitrary<WakeRules> = fc.record(
  {
    methods: fc.uniqueArray(fc.constantFrom('GET', 'POST', 'HEAD'), { minLength: 1 }),
    paths: patterns,
    ignorePaths: patterns,
    ignoreUserAgents: fc.array(fc.constantFrom('bot', 'Curl', 'x'), { minLength: 1 }),
  },
  { requiredKeys: [] },
);
const anyAsking: fc.Arbitrary<Asking> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
  path: fc.tuple(path, fc.constantFrom('', '?a=/b')).map(([before, query]) => `/${before}${query}`),
  userAgent: fc.option(fc.constantFrom('curl/8', 'SomeBot/1', ''), { nil: undefined }),
});

describe('a pattern', () => {
  it.each([
    ['/', '/', true],
    ['/a', '/', false],
    ['/a/b', '/a/*', true],
    ['/a/', '/a/*', true],
    ['/a', '/a/*', false],
    ['/deep/down/x.php', '*.php', true],
    ['/x.php/', '*.php', false],
    ['/a/x/b', '/a/*/b', true],
    ['/a/b', '/a/*/b', false],
    ['/A', '/a', false],
    ['/aa', '/a*a', true],
    ['/a', '/a*a', false],
    ['/a.b', '/a?b', false],
    ['/anything', '*', true],
    ['', '*', true],
    ['/x', '**', true],
  ])('for %s, %s: %s', (given, wanted, fits) => {
    expect(fitsPattern(given, wanted)).toBe(fits);
  });

  it('fits exactly what the same regular expression fits', () => {
    fc.assert(
      fc.property(path, pattern, (given, wanted) => {
        const escaped = wanted.replaceAll('.', '\\.').replaceAll('*', '.*');
        expect(fitsPattern(given, wanted)).toBe(new RegExp(`^${escaped}$`).test(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it('cannot be made slow', () => {
    const began = performance.now();
    expect(fitsPattern('a'.repeat(16_384), `${'*a'.repeat(500)}b`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('wake rules', () => {
  it('let everything wake when there are none', () => {
    fc.assert(fc.property(anyAsking, (given) => mayWake({}, given)));
  });

  it('all have to agree: one more never wakes more', () => {
    fc.assert(
      fc.property(rules, rules, anyAsking, (some, others, given) => {
        const both = { ...others, ...some };
        if (mayWake(both, given)) expect(mayWake(some, given)).toBe(true);
      }),
    );
  });

  it('agree exactly when each alone does', () => {
    fc.assert(
      fc.property(rules, anyAsking, (given, request) => {
        const alone = Object.entries(given).every(([key, value]) =>
          mayWake({ [key]: value }, request),
        );
        expect(mayWake(given, request)).toBe(alone);
      }),
    );
  });

  it('do not look at the query', () => {
    expect(mayWake({ paths: ['/a'] }, asking({ path: '/a?x=/b' }))).toBe(true);
    expect(mayWake({ ignorePaths: ['*.php'] }, asking({ path: '/a?x=b.php' }))).toBe(true);
  });

  it('look for a user agent anywhere in it and in any case; a client without one is not ignored', () => {
    const given = { ignoreUserAgents: ['uptimerobot'] };
    expect(mayWake(given, asking({ userAgent: 'Mozilla/5.0 (UptimeRobot/2.0)' }))).toBe(false);
    expect(mayWake(given, asking({ userAgent: undefined }))).toBe(true);
  });
});
