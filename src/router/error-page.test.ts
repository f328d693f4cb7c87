/** Error pages show what happened, escaped, and nothing that only the owner may see. */
import { describe, expect, it } from 'vitest';
import { BerthError } from '../core/errors.ts';
import { errorPage } from './error-page.ts';

const facts = {
  id: 'abc-1',
  method: 'GET',
  accept: 'text/html',
  platformOrigin: 'http://berth.localhost',
  version: '1.2.3',
  status: 502,
};

describe('errorPage', () => {
  it('escapes whatever the detail holds', () => {
    const error = new BerthError('BOOT_FAILED', { detail: `<img src=x onerror="alert('&')">` });
    const { body } = errorPage(error, facts);
    expect(body).not.toContain('<img');
    expect(body).toContain('&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;');
  });

  it('shows what stands between backticks as code', () => {
    const error = new BerthError('NOT_FOUND', { detail: 'Say `<a>` or `b`, not `c' });
    const { body } = errorPage(error, facts);
    expect(body).toContain('Say <code>&lt;a&gt;</code> or <code>b</code>, not `c');
    expect(body).toContain('<code>berth ls</code> shows');
  });

  it('never shows log lines', () => {
    const error = new BerthError('BOOT_FAILED', { detail: 'exit 1', log: ['password=hunter2'] });
    expect(errorPage(error, facts).body).not.toContain('hunter2');
    expect(errorPage(error, { ...facts, accept: '*/*' }).body).not.toContain('hunter2');
  });

  it('of one error that many meet is each one’s own', () => {
    const problemOf = (error: BerthError, about: Partial<typeof facts>) =>
      JSON.parse(errorPage(error, { ...facts, accept: '*/*', ...about }).body) as object;
    const error = new BerthError('QUEUE_FULL', { detail: 'too many' });
    const first = problemOf(error, { id: 'one' });
    expect(first).toMatchObject({ id: 'one', code: 'QUEUE_FULL', detail: 'too many', status: 502 });
    expect(problemOf(error, { id: 'two' })).toEqual({ ...first, id: 'two' });
    expect(problemOf(error, { id: 'one', status: 429 })).toEqual({ ...first, status: 429 });
    const elsewhere = problemOf(error, { id: 'one', platformOrigin: 'https://berth.example.com' });
    expect(elsewhere).toMatchObject({ type: expect.stringContaining('berth.example.com') });
    const other = new BerthError('QUEUE_FULL', { detail: 'other' });
    expect(problemOf(other, { id: 'one' })).toEqual({ ...first, detail: 'other' });
    expect(problemOf(error, { id: 'one' })).toEqual(first);
  });

  it('loads nothing from elsewhere', () => {
    const { body, headers } = errorPage(new BerthError('NOT_FOUND'), facts);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; style-src 'unsafe-inline'",
    );
    expect(body).not.toMatch(/<(?:script|link|img)|url\(|@import/);
  });

  it('says when to try again, in whole seconds', () => {
    const error = new BerthError('QUEUE_FULL', { retryAfterSeconds: 2.1 });
    expect(errorPage(error, { ...facts, status: 429 }).headers['retry-after']).toBe('3');
    const unready = errorPage(new BerthError('NOT_READY'), { ...facts, status: 503 });
    expect(unready.headers['retry-after']).toBe('1');
    expect(errorPage(new BerthError('NOT_FOUND'), facts).headers['retry-after']).toBeUndefined();
  });
});
