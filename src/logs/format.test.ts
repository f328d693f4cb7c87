/** Records as conmon writes them, and as other things break them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLogLine, parseRecord } from './format.ts';

const record = (text: string) => parseRecord(Buffer.from(text));

describe('A record', () => {
  it('has time to the nanosecond, stream, and text', () => {
    const found = record('2026-11-21T09:00:08.349701443+00:00 stdout F Listening on  8080');
    expect(found).toMatchObject({ stream: 'stdout', partial: false });
    expect(found?.at).toBeCloseTo(Date.UTC(2026, 10, 21, 9, 0, 8) + 349.701443, 3);
    expect(found?.text.toString()).toBe('Listening on  8080');
  });

  it('may be the beginning of a line', () => {
    expect(record('2026-11-21T09:00:08.5+00:00 stderr P What is your')).toMatchObject({
      stream: 'stderr',
      partial: true,
    });
  });

  it('is understood in the time of any zone', () => {
    const utc = record('2026-11-21T09:00:08.25Z stdout F x');
    expect(record('2026-11-21T11:30:08.250000000+02:30 stdout F x')?.at).toBe(utc?.at);
  });

  it.each([
    ['an empty text', '2026-11-21T09:00:08.5+00:00 stdout F ', ''],
    ['no space behind the tag', '2026-11-21T09:00:08.5+00:00 stdout F', ''],
    ['further tags', '2026-11-21T09:00:08.5+00:00 stdout F:a:b text', 'text'],
    ['leading spaces of its own', '2026-11-21T09:00:08.5+00:00 stdout F   text', '  text'],
  ])('may have %s', (_, line, text) => {
    expect(record(line)?.text.toString()).toBe(text);
  });

  it.each([
    '',
    ' ',
    'hello',
    'hello stdout F text',
    '2026-11-21T09:00:08.5+00:00',
    '2026-11-21T09:00:08.5+00:00 stdout',
    '2026-11-21T09:00:08.5+00:00 stdlog F text',
    '2026-11-21T09:00:08.5+00:00 stdout X text',
    '2026-13-41T09:00:08.5+00:00 stdout F text',
    '\0\0\0\0',
  ])('is not: %j', (line) => {
    expect(record(line)).toBeUndefined();
  });

  it('never fails, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        parseRecord(Buffer.from(bytes));
      }),
    );
  });
});

describe('A line that is written', () => {
  it('looks as conmon would write it', () => {
    const at = Date.UTC(2026, 10, 21, 9, 0, 8) + 349.5;
    expect(formatLogLine(at, 'stderr', 'oh no')).toBe(
      '2026-11-21T09:00:08.349500000+00:00 stderr F oh no\n',
    );
  });

  it('is read back with its time, stream and text', () => {
    const time = fc.double({ min: 0, max: 253_402_300_799_000, noNaN: true });
    const text = fc.string({ unit: 'grapheme' }).filter((some) => !some.includes('\n'));
    const stream = fc.constantFrom('stdout' as const, 'stderr' as const);
    fc.assert(
      fc.property(time, stream, text, (at, stream, text) => {
        const found = record(formatLogLine(at, stream, text).slice(0, -1));
        expect(found?.stream).toBe(stream);
        expect(found?.text.toString()).toBe(text);
        // Doubles of that size are a few hundred nanoseconds apart.
        expect(Math.abs((found?.at ?? 0) - at)).toBeLessThan(0.1);
      }),
    );
  });

  it('becomes several records when it holds several lines', () => {
    expect(formatLogLine(0, 'stdout', 'a\n\nb\n').match(/F .*\n/g)).toStrictEqual([
      'F a\n',
      'F \n',
      'F b\n',
    ]);
  });
});
