/** What option values mean, and which are refused. */
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_TRAFFIC_BOUNDS,
  TRAFFIC_BOUND_KEYS,
  TRAFFIC_BOUNDS,
} from '../core/traffic-bounds.ts';
import {
  byteSize,
  formatBound,
  integer,
  lifetime,
  listenAddress,
  since,
  span,
  trafficBound,
  variable,
} from './values.ts';

describe('variables', () => {
  const parse = variable({ HOME: '/root', EMPTY: '' });
  it('collects values, the last one of a name winning', () => {
    expect(parse('B=2', parse('A=3', parse('A=1')))).toEqual({ A: '3', B: '2' });
  });
  it('keeps everything after the first equals sign', () =>
    expect(parse('URL=http://x/?a=b')).toEqual({ URL: 'http://x/?a=b' }));
  it('takes a name alone from the environment, also when it is empty there', () => {
    expect(parse('HOME')).toEqual({ HOME: '/root' });
    expect(parse('EMPTY')).toEqual({ EMPTY: '' });
  });
  it.each(['', '=x', '1A=x', 'A B=x', 'A-B=x', 'ABSENT'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow();
  });
});

describe('spans and times', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
    ['20ms', 20],
  ])('reads %s', (text, expected) => expect(span(text)).toBe(expected));
  it.each(['', '10', 'm', '-5m', '10 m', '5w'])('refuses %j as a span', (text) => {
    expect(() => span(text)).toThrow();
  });
  it('reads a time as how long ago, or as a date', () => {
    const parse = since(() => 1_000_000);
    expect(parse('10s')).toBe(990_000);
    expect(parse('2026-11-21T09:00:00Z')).toBe(Date.UTC(2026, 10, 21, 9));
    expect(() => parse('yesterday')).toThrow();
    expect(() => parse('10x')).toThrow();
  });
});

describe('whole numbers', () => {
  const parse = integer(1, 65_535);
  it.each(['1', '65535'])('takes %s', (text) => expect(parse(text)).toBe(Number(text)));
  it.each(['0', '65536', '-1', '1.5', '1e3', '', 'x'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow();
  });
});

describe('listen addresses', () => {
  it.each([
    ['8080', '127.0.0.1:8080'],
    [':8080', '127.0.0.1:8080'],
    ['0.0.0.0:0', '0.0.0.0:0'],
    ['localhost:80', 'localhost:80'],
    ['[::1]:8080', '[::1]:8080'],
  ])('reads %s as %s', (text, expected) => expect(listenAddress(text)).toBe(expected));
  it.each(['', 'localhost', 'localhost:', 'localhost:65536', '::1:8080', 'a:b'])(
    'refuses %j',
    (text) => {
      expect(() => listenAddress(text)).toThrow();
    },
  );
});

describe('sizes and lifetimes', () => {
  it.each([
    ['500M', 500e6],
    ['50G', 50e9],
    ['1.5T', 1.5e12],
    ['50gb', 50e9],
    ['2GiB', 2 * 1024 ** 3],
    ['10Ki', 10 * 1024],
  ])('reads %s', (text, bytes) => {
    expect(byteSize(text)).toBe(bytes);
  });
  it.each(['', '50', 'G', '-1G', '50 G', '50P', '1.G'])('refuses %j as a size', (text) => {
    expect(() => byteSize(text)).toThrow();
  });
  it('knows a time that does not end', () => {
    expect(lifetime('never')).toBe(Number.POSITIVE_INFINITY);
    expect(lifetime('7d')).toBe(7 * 86_400_000);
    expect(() => lifetime('ever')).toThrow();
  });
});

describe('bounds of traffic', () => {
  it.each([
    ['waiting=50', { maxWaiting: 50 }],
    ['headers-timeout=5s', { headersTimeoutMs: 5_000 }],
    ['header-size=64KiB', { headerBytes: 65_536 }],
    ['header-size=65536', { headerBytes: 65_536 }],
  ])('reads %s', (text, expected) => expect(trafficBound(text)).toEqual(expected));
  it('collects them, the last one of a name winning', () => {
    const earlier = trafficBound('wait=9s', trafficBound('waiting=50'));
    expect(trafficBound('wait=1m', earlier)).toEqual({ maxWaiting: 50, maxWaitMs: 60_000 });
  });
  it.each([
    ['', /one of these names: header-size/],
    ['wating=5', /one of these names/],
    ['maxWaiting=5', /one of these names/],
    ['waiting', /one of these names/],
    ['waiting=', /whole number/],
    ['waiting=5.5', /whole number/],
    ['wait=5', /90s/],
    ['header-size=big', /500M/],
    ['header-size=2MiB', /from 1KiB to 1MiB/],
    ['headers-timeout=1ms', /from 100ms to 1h/],
  ])('refuses %j', (text, words) => expect(() => trafficBound(text)).toThrow(words));
  it('writes each default and each end of a range as it reads them', () => {
    for (const key of TRAFFIC_BOUND_KEYS) {
      const { name, unit, least, most } = TRAFFIC_BOUNDS[key];
      for (const value of [DEFAULT_TRAFFIC_BOUNDS[key], least, most]) {
        expect(trafficBound(`${name}=${formatBound(value, unit)}`)).toEqual({ [key]: value });
      }
    }
  });
});
