/** How numbers, times and tables read. */
import { styleText } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bytesInWords } from '../core/words.ts';
import { age, count, duration, fit, table } from './format.ts';

describe('durations', () => {
  it.each([
    [0.2, '< 1 ms'],
    [1.25, '1.3 ms'],
    [12.4, '12 ms'],
    [999, '999 ms'],
    [4_210, '4.2 s'],
    [59_940, '59.9 s'],
    [59_990, '1 m 0 s'],
    [83_000, '1 m 23 s'],
  ])('reads %d ms as %s', (ms, expected) => expect(duration(ms)).toBe(expected));
});

describe('ages', () => {
  it.each([
    [-5, '0 s'],
    [12_000, '12 s'],
    [300_000, '5 m'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
  ])('reads %d ms as %s', (ms, expected) => expect(age(ms)).toBe(expected));
});

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_500, '1.5 kB'],
    [12_345, '12 kB'],
    [999_600, '1.0 MB'],
    [182_000_000, '182 MB'],
    [1_500_000_000, '1.5 GB'],
  ])('reads %d bytes as %s', (size, expected) => expect(bytesInWords(size)).toBe(expected));
});

it('counts things', () => {
  expect([count(0, 'file'), count(1, 'file'), count(2, 'file')]).toEqual([
    '0 files',
    '1 file',
    '2 files',
  ]);
});

it('aligns columns whatever their colour', () => {
  const red = styleText('red', 'bad', { validateStream: false });
  expect(
    table([
      ['NAME', 'STATE', 'URL'],
      ['a', red, 'x'],
      ['longer', 'ready', ''],
    ]),
  ).toEqual(['NAME    STATE  URL', `a       ${red}    x`, 'longer  ready']);
});

it('cuts what does not fit a line', () => {
  expect(fit('berth', 5)).toBe('berth');
  expect(fit('berthing', 5)).toBe('bert…');
});
