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

  it('adds and removes names, and never lets one take a name of the platform', () => {
    const target = { kind: 'deployment', deploymentId: 'one-00000000' } as const;
    table.add('WWW.Example.com', target);
    expect(table.resolve('www.example.com', '/')).toEqual(target);
    table.remove('www.example.com.');
    expect(table.resolve('www.example.com', '/').kind).toBe('unknown');
    table.add('berth.example.com', target);
    table.addDeployment('berth');
    table.remove('localhost');
    expect(table.resolve('berth.example.com', '/')).toEqual({ kind: 'platform' });
    expect(table.resolve('localhost', '/')).toEqual({ kind: 'platform' });
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
