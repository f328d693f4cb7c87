/** Bytes to lines, in pieces of any size. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineAssembler, MAX_LINE_BYTES } from './assemble.ts';

const TIME = '2026-11-21T09:00:08.5+00:00';

function assemble(...pieces: readonly (string | Buffer)[]): LineAssembler & { lines: string[] } {
  const assembler = new LineAssembler('start');
  const lines: string[] = [];
  for (const piece of pieces) {
    for (const line of assembler.push(Buffer.from(piece)))
      lines.push(`${line.stream}: ${line.text}`);
  }
  return Object.assign(assembler, { lines });
}

describe('Lines are put together', () => {
  it('from partial records, each stream for itself', () => {
    const { lines } = assemble(
      `${TIME} stdout P one \n${TIME} stderr F oops\n${TIME} stdout P two \n${TIME} stdout F three\n`,
    );
    expect(lines).toStrictEqual(['stderr: oops', 'stdout: one two three']);
  });

  it('also where a character is split between two records', () => {
    const boat = Buffer.from('🛥');
    const { lines } = assemble(
      Buffer.concat([
        Buffer.from(`${TIME} stdout P a`),
        boat.subarray(0, 2),
        Buffer.from(`\n${TIME} stdout F `),
        boat.subarray(2),
        Buffer.from('b\n'),
      ]),
    );
    expect(lines).toStrictEqual(['stdout: a🛥b']);
  });

  it('without the carriage return of a Windows line end, and with one inside', () => {
    const { lines } = assemble(`${TIME} stdout F 10%\r20%\r\n${TIME} stdout F \r\n`);
    expect(lines).toStrictEqual(['stdout: 10%\r20%', 'stdout: ']);
  });

  it('with a replacement character for bytes that are no UTF-8', () => {
    const bytes = Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a]);
    expect(assemble(Buffer.concat([Buffer.from(`${TIME} stdout F `), bytes])).lines).toStrictEqual([
      'stdout: a\ufffd\ufffdb',
    ]);
  });

  it('leaving out what is no record, and nothing else', () => {
    const { lines } = assemble(`garbage\n\n${TIME} stdout F good\n\0\0\0${TIME} stdout F bad\n`);
    expect(lines).toStrictEqual(['stdout: good']);
  });

  it('in the same way however the bytes are cut', () => {
    const text =
      `${TIME} stdout P one\r\n${TIME} stderr F ö🛥\nrubbish\n${TIME} stdout F two\n`.repeat(3);
    const bytes = Buffer.from(text);
    const whole = assemble(bytes).lines;
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(assemble(...pieces).lines).toStrictEqual(whole);
      }),
    );
  });
});

describe('An endless line', () => {
  const long = 'é'.repeat(100_000);

  it('is given in several, none longer than the bound, no character lost or broken', () => {
    const pieces = (long.match(/.{1,4000}/g) ?? []).map((piece) => `${TIME} stdout P ${piece}\n`);
    const { lines } = assemble(...pieces, `${TIME} stdout F end\n`);
    const texts = lines.map((line) => line.slice('stdout: '.length));
    expect(texts.join('')).toBe(`${long}end`);
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_LINE_BYTES);
    expect(texts).toHaveLength(Math.ceil(200_003 / MAX_LINE_BYTES));
  });

  it('may also be one record that arrives bit by bit', () => {
    const record = Buffer.from(`${TIME} stderr F ${long}end\n${TIME} stdout F next\n`);
    const pieces = Array.from({ length: Math.ceil(record.length / 30_000) }, (_, index) =>
      record.subarray(index * 30_000, (index + 1) * 30_000),
    );
    const { lines } = assemble(...pieces);
    expect(lines.at(-1)).toBe('stdout: next');
    const texts = lines.slice(0, -1).map((line) => line.slice('stderr: '.length));
    expect(texts.join('')).toBe(`${long}end`);
  });

  it('that is no record at all is dropped without being kept', () => {
    const junk = Buffer.alloc(50_000, 'x');
    const assembler = assemble(junk, junk, junk, junk, `\n${TIME} stdout F good\n`);
    expect(assembler.lines).toStrictEqual(['stdout: good']);
  });
});

describe('What has no end yet', () => {
  it('is given when asked for: a question, or the last words of an app', () => {
    const assembler = assemble(`${TIME} stdout P Name?`, ' \n');
    expect(assembler.lines).toStrictEqual([]);
    expect(assembler.flush()).toMatchObject([{ stream: 'stdout', text: 'Name? ' }]);
    expect(assembler.flush()).toStrictEqual([]);
  });

  it('goes on in the next file, unless it is half a record', () => {
    const assembler = assemble(`${TIME} stdout P one \n${TIME} stdout F tw`);
    assembler.restart();
    expect(assembler.push(Buffer.from(`${TIME} stdout F three\n`))).toMatchObject([
      { text: 'one three' },
    ]);
  });
});
