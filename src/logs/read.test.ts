/** Reading logs from real files, from their end. */
import { appendFile, open, truncate, writeFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES } from './assemble.ts';
import { A, B, DEPLOYMENT, fresh, lines, MORNING, texts } from './fixtures/fresh.ts';
import { formatLogLine } from './format.ts';
import { readTail } from './tail.ts';

describe('Reading', () => {
  it('gives nothing for a deployment or an instance that wrote nothing', async () => {
    const { logs } = await fresh();
    expect(await logs.read(DEPLOYMENT, {})).toStrictEqual([]);
    await logs.fileFor(DEPLOYMENT, A);
    expect(await logs.read(DEPLOYMENT, { instanceId: A })).toStrictEqual([]);
  });

  it('merges the instances by time', async () => {
    const { logs } = await fresh();
    const write = async (id: string, at: number, stream: 'stdout' | 'stderr', text: string) =>
      appendFile(await logs.fileFor(DEPLOYMENT, id), formatLogLine(MORNING + at, stream, text));
    await write(A, 1, 'stdout', 'first');
    await write(B, 1.0005, 'stderr', 'second');
    await write(A, 3, 'stdout', 'fourth');
    await write(B, 2, 'stdout', 'third');
    const all = await logs.read(DEPLOYMENT, {});
    expect(texts(all)).toStrictEqual(['first', 'second', 'third', 'fourth']);
    expect(all[1]).toMatchObject({ instanceId: B, stream: 'stderr' });
    expect(texts(await logs.read(DEPLOYMENT, { instanceId: B }))).toStrictEqual([
      'second',
      'third',
    ]);
  });

  it('gives the newest, those since a time, or both, over all instances', async () => {
    const { logs } = await fresh();
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(0, 50, 'a'));
    await writeFile(await logs.fileFor(DEPLOYMENT, B), lines(50, 50, 'b'));
    const since = MORNING + 48_000;
    expect(texts(await logs.read(DEPLOYMENT, { tail: 2 }))).toStrictEqual(['b 98', 'b 99']);
    expect(await logs.read(DEPLOYMENT, { tail: 0 })).toStrictEqual([]);
    expect(await logs.read(DEPLOYMENT, { tail: 1_000 })).toHaveLength(100);
    expect(texts(await logs.read(DEPLOYMENT, { since })).slice(0, 3)).toStrictEqual([
      'a 48',
      'a 49',
      'b 50',
    ]);
    expect(await logs.read(DEPLOYMENT, { since })).toHaveLength(52);
    expect(texts(await logs.read(DEPLOYMENT, { since, tail: 1 }))).toStrictEqual(['b 99']);
  });

  it('gives the last words of an app that wrote no line end', async () => {
    const { logs } = await fresh();
    const partial = formatLogLine(MORNING, 'stderr', 'Segmentation fau').replace(' F ', ' P ');
    await writeFile(await logs.fileFor(DEPLOYMENT, A), lines(-1, 1) + partial);
    expect(texts(await logs.read(DEPLOYMENT, { tail: 1 }))).toStrictEqual(['Segmentation fau']);
  });

  it('gives the end of a large file without reading its beginning', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, '');
    // A hole of 4 GiB: whoever reads it all will be noticed.
    await truncate(file, 4 * 1024 ** 3);
    await appendFile(file, `\n${lines(0, 2_000)}`);
    const found = await logs.read(DEPLOYMENT, { tail: 1_500 });
    expect(texts(found)).toStrictEqual(
      Array.from({ length: 1_500 }, (_, index) => `line ${500 + index}`),
    );
  });

  it('is the same from the end as from the start, whatever the lines and the size of the window', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    const piece = fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      tag: fc.constantFrom('F', 'P'),
      text: fc.oneof(fc.string({ maxLength: 40 }), fc.constant('x'.repeat(300))),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 40 }),
        fc.nat(45),
        fc.integer({ min: 1, max: 500 }),
        fc.option(fc.nat(40), { nil: -Infinity }),
        fc.nat(60),
        async (pieces, tail, window, sinceIndex, missing) => {
          const records = pieces.map(({ stream, tag, text }, index) =>
            formatLogLine(MORNING + index, stream, text.replaceAll('\n', ' ')).replace(
              ' F ',
              ` ${tag} `,
            ),
          );
          const bytes = Buffer.from(records.join(''));
          const end = Math.max(0, bytes.length - missing);
          await writeFile(file, bytes.subarray(0, end));
          await using handle = await open(file);
          const since = MORNING + sinceIndex;
          const whole = await readTail(handle, { tail: 1_000, since: -Infinity }, 1_000_000);
          const found = await readTail(handle, { tail, since }, window);
          const wanted = whole.lines.filter(({ at }) => at >= since);
          expect(found.lines).toStrictEqual(tail === 0 ? [] : wanted.slice(-tail));
          expect(found.end).toBe(end);

          // And what is written later is understood in the same way, but for a beginning far back.
          const rest = bytes.subarray(end);
          const later = [...found.assembler.push(rest), ...found.assembler.flush()];
          const laterWhole = [...whole.assembler.push(rest), ...whole.assembler.flush()];
          for (const line of later) {
            const same = laterWhole.find(
              ({ at, stream }) => at === line.at && stream === line.stream,
            );
            expect(same?.text.endsWith(line.text)).toBe(true);
            if (!line.doubtful) expect(line).toStrictEqual(same);
          }
          const last = (lines: typeof later) =>
            lines.filter(({ at }) => at === MORNING + pieces.length - 1);
          if (rest.length > 0) expect(last(later)).toHaveLength(last(laterWhole).length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves out what is just being written', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, lines(0, 2) + lines(2, 1).slice(0, -4));
    expect(texts(await logs.read(DEPLOYMENT, {}))).toStrictEqual(['line 0', 'line 1']);
  });

  it('bounds a line without end', async () => {
    const { logs } = await fresh();
    const file = await logs.fileFor(DEPLOYMENT, A);
    await writeFile(file, formatLogLine(MORNING, 'stdout', 'x'.repeat(1_000_000)));
    const found = await logs.read(DEPLOYMENT, {});
    expect(texts(found).join('')).toHaveLength(1_000_000);
    expect(Math.max(...found.map(({ text }) => text.length))).toBe(MAX_LINE_BYTES);
  });
});
