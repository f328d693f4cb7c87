/** Variables that name secrets, and plain ones that look as if they did. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from './redact.ts';
import {
  isSecretName,
  plainVariable,
  readVariable,
  secretNamesOf,
  splitVariables,
} from './secret.ts';

describe('a variable', () => {
  it('names a secret with one @ and is plain with two', () => {
    expect(readVariable('@db-url')).toEqual({ kind: 'secret', name: 'db-url' });
    expect(readVariable('@@handle')).toEqual({ kind: 'plain', value: '@handle' });
    expect(readVariable('me@example.com')).toEqual({ kind: 'plain', value: 'me@example.com' });
    expect(readVariable('')).toEqual({ kind: 'plain', value: '' });
  });

  it('keeps every plain value, whatever it begins with', () => {
    const values = fc.oneof(fc.string(), fc.stringMatching(/^[@\\]{0,3}.{0,4}$/));
    fc.assert(
      fc.property(values, (value) => {
        expect(readVariable(plainVariable(value))).toEqual({ kind: 'plain', value });
      }),
    );
  });

  it('is counted once for each secret, and told apart from plain ones', () => {
    const variables = { A: '@one', B: 'plain', C: '@two', D: '@one', E: '@@x' };
    expect(secretNamesOf(variables)).toEqual(['one', 'two']);
    expect(splitVariables(variables)).toEqual({
      plain: { B: 'plain', E: '@x' },
      secret: { A: 'one', C: 'two', D: 'one' },
    });
  });
});

describe('the name of a secret', () => {
  it.each(['db', 'DB_URL', 'a.b-c', 'x'.repeat(100)])('may be %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });
  it.each(['', '@db', '-x', '.x', 'a b', 'ä', 'a/b', 'x'.repeat(101)])('may not be %j', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('redaction', () => {
  const redact = (values: Record<string, string>, text: string) =>
    createRedactor(values)?.(text) ?? text;

  it('puts the name in the place of the value, every time', () => {
    expect(redact({ db: 'hunter2hunter2' }, 'a hunter2hunter2, hunter2hunter2!')).toBe(
      'a [secret db], [secret db]!',
    );
  });

  it('knows a value as JSON and a URL write it, and line by line', () => {
    const key = '-----BEGIN KEY-----\nabc"def/ghi=+jkl\n-----END KEY-----';
    expect(redact({ key }, JSON.stringify({ key }))).toBe('{"key":"[secret key]"}');
    expect(redact({ key }, `?k=${encodeURIComponent(key)}`)).toBe('?k=[secret key]');
    expect(redact({ key }, 'abc"def/ghi=+jkl')).toBe('[secret key]');
  });

  it('takes the longer of two values that hold each other', () => {
    expect(redact({ a: 'password', b: 'password-and-more' }, 'password-and-more')).toBe(
      '[secret b]',
    );
  });

  it('leaves short values: they are words of ordinary text', () => {
    expect(createRedactor({ a: 'short' })).toBeUndefined();
  });

  it('leaves nothing of any value of 8 characters or more', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40 }),
        fc.string(),
        fc.string(),
        (value, before, after) => {
          fc.pre(!'[secret s]'.includes(value));
          const text = redact({ s: value }, `${before}${value}${after}`);
          expect(text).toContain('[secret s]');
        },
      ),
    );
  });
});
