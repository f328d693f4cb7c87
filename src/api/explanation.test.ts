/** Explanations of error codes become safe pages. */
import { expect, it } from 'vitest';
import { CATALOGUE, type ErrorCode } from '../core/errors.ts';
import { explanationHtml, explanationOf } from './explanation.ts';

const asItIs = (text: string) => text;

it('makes paragraphs, lists and tables, and keeps the words of links', () => {
  const html = explanationHtml(
    'One\nparagraph with [a link](../x.md).\n\nA list:\n- first\n  of two\n- second\n\n| a | b |\n|---|---|',
    asItIs,
  );
  expect(html).toBe(
    '<p>One paragraph with a link.</p>\n<p>A list:</p><ul><li>first of two</li><li>second</li></ul>\n<pre>| a | b |\n|---|---|</pre>',
  );
});

it('makes all text safe', () => {
  const html = explanationHtml('<b>\n\n- <i>\n\n| <u> |', (text) => text.replaceAll('<', '&lt;'));
  expect(html).not.toMatch(/<[biu]>/);
});

it('is there for every code', async () => {
  for (const code of Object.keys(CATALOGUE) as ErrorCode[]) {
    expect(await explanationOf(code, asItIs), code).toContain('<p>');
  }
});
