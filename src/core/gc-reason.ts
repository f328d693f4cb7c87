/** Why something stays or may go, in words. */
import type { Decision } from './gc.ts';
import { spanInWords } from './words.ts';

export type Reason = Pick<Decision, 'verdict' | 'because'>;

export function keep(because: string): Reason {
  return { verdict: 'keep', because };
}

export function remove(because: string): Reason {
  return { verdict: 'remove', because };
}

/** `preview, last request 9 days ago, lives 7 days`. */
export function lives(what: string, since: string, ageMs: number, ttlMs: number): Reason {
  const age = since.startsWith('no ') ? spanInWords(ageMs) : `${spanInWords(ageMs)} ago`;
  const limit = ttlMs === Number.POSITIVE_INFINITY ? 'for ever' : spanInWords(ttlMs);
  const because = `${what}, ${since} ${age}, lives ${limit}`;
  return { verdict: ageMs > ttlMs ? 'remove' : 'keep', because };
}
