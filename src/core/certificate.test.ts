/** The right certificate serves a hostname, in time renewed, and no authority is asked for what it cannot vouch for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acmeBackoffMs,
  certificateName,
  chooseCertificate,
  type KeptCertificate,
  namesServing,
  nameToSign,
  renewAt,
  whyNotPublic,
} from './certificate.ts';

describe('a name', () => {
  test.each([
    ['shop.example.com', 'shop.example.com'],
    ['Shop.Example.COM.', 'shop.example.com'],
    ['*.example.com', '*.example.com'],
    ['localhost', 'localhost'],
    ['a_b.example', 'a_b.example'],
  ])('%s is kept as %s', (text, name) => {
    expect(certificateName(text)).toBe(name);
  });

  test.each([
    '',
    '.',
    '*',
    '*.com',
    '*.localhost',
    '*.*.example.com',
    'a.*.com',
    '-a.com',
    'a-.com',
    'a..b',
    '127.0.0.1',
    '::1',
    '../etc',
    'a/b',
    'ä.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}aa`,
  ])('%j is none', (text) => {
    expect(certificateName(text)).toBeUndefined();
  });

  test('is itself in the form it is kept', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = certificateName(text);
        if (name !== undefined) expect(certificateName(name)).toBe(name);
      }),
    );
  });

  test('is served by its own certificate and by the wildcard beside it only', () => {
    expect(namesServing('a.b.example')).toEqual(['a.b.example', '*.b.example']);
    expect(namesServing('localhost')).toEqual(['localhost']);
  });
});

describe('choosing', () => {
  const kept = (source: KeptCertificate['source'], name: string, notAfter = 100) => ({
    source,
    name,
    notBefore: 0,
    notAfter,
  });
  const all = [
    kept('local', 'a.b.example'),
    kept('acme', '*.b.example'),
    kept('acme', 'a.b.example'),
    kept('own', '*.b.example'),
    kept('own', 'a.b.example'),
  ];

  test('goes by source, then by how exactly the name fits', () => {
    const remaining = [...all];
    const order: string[] = [];
    for (;;) {
      const chosen = chooseCertificate('a.b.example', remaining, 50);
      if (!chosen) break;
      order.push(`${chosen.source} ${chosen.name}`);
      remaining.splice(remaining.indexOf(chosen), 1);
    }
    expect(order).toEqual([
      'own a.b.example',
      'own *.b.example',
      'acme a.b.example',
      'acme *.b.example',
      'local a.b.example',
    ]);
  });

  test('passes over those that have expired or are not valid yet', () => {
    const expired = kept('own', 'a.b.example', 50);
    const future = { ...kept('own', '*.b.example'), notBefore: 60 };
    expect(chooseCertificate('a.b.example', [expired, future], 50)).toBeUndefined();
    expect(chooseCertificate('a.b.example', [expired, future], 49)).toBe(expired);
    expect(chooseCertificate('a.b.example', [expired, future], 60)).toBe(future);
  });

  test('never takes a wildcard for deeper names or for its own domain', () => {
    for (const hostname of ['x.a.b.example', 'b.example', 'example', 'xb.example']) {
      expect(chooseCertificate(hostname, [kept('own', '*.b.example')], 50)).toBeUndefined();
    }
  });
});

test('a third of the life is left when a certificate is renewed', () => {
  expect(renewAt({ notBefore: 1_000, notAfter: 91_000 })).toBe(61_000);
});

test('one wildcard serves all deployments of a domain, where clients accept it', () => {
  expect(nameToSign('shop.apps.example', 'apps.example')).toBe('*.apps.example');
  expect(nameToSign('shop.localhost', 'localhost')).toBe('shop.localhost');
  expect(nameToSign('apps.example', 'apps.example')).toBe('apps.example');
  expect(nameToSign('a.shop.apps.example', 'apps.example')).toBe('a.shop.apps.example');
  expect(nameToSign('elsewhere.example', 'apps.example')).toBe('elsewhere.example');
});

test.each([
  'localhost',
  'a.localhost',
  '127.0.0.1',
  '::1',
  'intranet',
  'a_b.example',
  '*.example.com',
])('no public authority is asked for %s', (hostname) => {
  expect(whyNotPublic(hostname)).toEqual(expect.any(String));
});

test('a public authority is asked for a name with a domain', () => {
  expect(whyNotPublic('shop.example.com')).toBeUndefined();
  expect(whyNotPublic('notlocalhost.com')).toBeUndefined();
});

test('fails at most four times in the first hour, and waits no longer than half a day', () => {
  let at = 0;
  let failures = 0;
  while (at <= 3_600_000) {
    failures += 1;
    at += acmeBackoffMs(failures);
  }
  expect(failures).toBe(4);
  expect(acmeBackoffMs(0)).toBe(0);
  expect(acmeBackoffMs(1_000)).toBe(12 * 3_600_000);
});
