/** Variables written as a dotenv file are read back as they were, or are said to be left out. */
import { parseEnv } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDotenv } from './dotenv.ts';

describe('a dotenv file', () => {
  it('has one line for each variable, by name, quoted only where it has to be', () => {
    const { text, unwritable } = formatDotenv({
      URL: '@db-url',
      A: 'plain',
      B: 'two words',
      C: '# no comment',
      D: 'line\nline',
      E: "it's",
      F: '',
    });
    expect(unwritable).toEqual([]);
    expect(text).toContain('URL=@db-url\n');
    expect(text).toContain('A=plain\n');
    expect({ ...parseEnv(text) }).toEqual({
      URL: '@db-url',
      A: 'plain',
      B: 'two words',
      C: '# no comment',
      D: 'line\nline',
      E: "it's",
      F: '',
    });
  });

  it('gives back whatever was written, and names what it cannot hold', () => {
    const names = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/);
    const values = fc.oneof(fc.string(), fc.stringMatching(/^["'`#\\\n $@=a]{0,8}$/));
    fc.assert(
      fc.property(fc.dictionary(names, values, { noNullPrototype: true }), (variables) => {
        const { text, unwritable } = formatDotenv(variables);
        const kept = Object.entries(variables).filter(([name]) => !unwritable.includes(name));
        expect({ ...parseEnv(text) }).toEqual(Object.fromEntries(kept));
      }),
    );
  });

  it('leaves out what needs every kind of quotes', () => {
    expect(formatDotenv({ ALL: ` '"\`\n`, A: 'b' })).toEqual({
      text: 'A=b\n',
      unwritable: ['ALL'],
    });
  });
});
