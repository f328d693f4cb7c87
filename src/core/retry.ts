/** May a request that failed on one instance be sent to another? */

/**
 * How far the attempt came.
 * - `refused`: the connection was refused or could not be made.
 * - `undelivered`: nothing of the request left the router.
 * - `reset`: something was sent; the connection ended before the head of an answer arrived.
 * - `unread`: it was sent, and it is proven that the app read nothing of it and never will (`unread.ts`).
 * - `answering`: the head of an answer arrived, or bytes that are no answer.
 */
export type Happened = 'refused' | 'undelivered' | 'reset' | 'unread' | 'answering';

/**
 * What the router still has of the request's body.
 * - `empty`: there is none.
 * - `whole`: nothing is lost: every byte read so far is held (at most 64 KiB), the rest is still to be read.
 * - `streaming`: bytes went through and are no longer held.
 */
export type BodyState = 'empty' | 'whole' | 'streaming';

export interface Attempted {
  readonly happened: Happened;
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  readonly body: BodyState;
  /** Attempts made so far, the failed one included. */
  readonly tries: number;
  /** Attempts allowed altogether. */
  readonly maxTries: number;
  /** Instances on which an attempt ended as `reset`, this one included. */
  readonly resets: number;
}

/**
 * How often a request may go on after a `reset`. An app that dies while it answers may have died of the request: a GET
 * that needs more memory than the slot has kills every instance it is sent to, and with each its other requests. But
 * where one is killed from outside, the one that replaces it may be next: with an instance killed at random each second,
 * one request in 6,000 met two of them. So bad luck is borne twice, and a request that kills takes three instances with
 * it, however many tries there are.
 */
const MOST_RESETS = 2;

export interface RetryDecision {
  readonly again: boolean;
  readonly because: string;
}

/** RFC 9110 9.2.2, the registered WebDAV readers and QUERY: sending them twice is the same as once. */
const IDEMPOTENT = new Set(
  'GET HEAD OPTIONS TRACE PUT DELETE QUERY PROPFIND REPORT SEARCH'.split(' '),
);

/** True when sending a request with this method twice means the same as sending it once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * | happened                     | body      | idempotent | again          |
 * |------------------------------|-----------|------------|----------------|
 * | refused, undelivered, unread | not lost  | any        | yes            |
 * | refused, undelivered, unread | streaming | any        | no             |
 * | reset                        | not lost  | yes        | twice          |
 * | reset                        | not lost  | no         | no             |
 * | reset                        | streaming | any        | no             |
 * | answering                    | any       | any        | no             |
 *
 * And never more than `maxTries` attempts.
 */
export function decideRetry(attempted: Attempted): RetryDecision {
  const { happened, method, body, tries, maxTries, resets } = attempted;
  if (happened === 'answering') return no('the answer had begun');
  if (body === 'streaming') return no('part of the body is gone');
  if (happened === 'reset' && !isIdempotent(method)) {
    return no(`${method} may have been carried out`);
  }
  if (happened === 'reset' && resets > MOST_RESETS) {
    return no(`${resets} instances ended while they answered it`);
  }
  if (tries >= maxTries) return no(`it failed ${tries} times`);
  return {
    again: true,
    because: happened === 'reset' ? `${method} is idempotent` : SAFE[happened],
  };
}

const SAFE = {
  refused: 'nothing was delivered',
  undelivered: 'nothing was delivered',
  unread: 'the app read nothing of it',
} as const;

function no(because: string): RetryDecision {
  return { again: false, because };
}
