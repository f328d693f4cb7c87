/** Server-sent events as an async iterable that outlives interruptions of the connection. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { BerthError } from '../core/errors.ts';

export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Resolves after `ms`, or at once when the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export interface StreamOptions {
  /** Opens the stream after the event of that id. Throws BerthErrors. */
  readonly open: (lastEventId: string | undefined) => Promise<Response>;
  readonly sleep: Sleep;
  readonly signal?: AbortSignal | undefined;
}

/** Time between two tries to take the stream up again, in ms. */
const RETRY_MS = 500;
/** Tries in a row without an event that is new: a restart of the server takes less. */
const MAX_TRIES = 60;

/**
 * Events until the signal aborts or the reader stops. A connection that breaks is opened again where it was; what the
 * server refuses is thrown, SERVER_NOT_RUNNING when it does not come back, and INTERNAL when it comes back and gets no
 * further: events that it tells again are no progress.
 */
export async function* serverEvents(options: StreamOptions): AsyncGenerator<ServerEvent, void> {
  const { open, sleep, signal } = options;
  let furthest: string | undefined;
  let triesLeft = MAX_TRIES;
  let isFirst = true;
  while (!signal?.aborted) {
    try {
      const response = await open(furthest);
      isFirst = false;
      for await (const event of parse(response)) {
        if (event.id !== undefined && isFurther(event.id, furthest)) {
          triesLeft = MAX_TRIES;
          furthest = event.id;
        }
        yield { name: event.event ?? 'message', data: JSON.parse(event.data) };
      }
    } catch (error) {
      if (signal?.aborted) return;
      // A server that was never there is not waited for; neither is one that has an answer.
      const isAway = error instanceof BerthError && error.code === 'SERVER_NOT_RUNNING';
      if (isFirst || triesLeft === 0 || !(isAway || error instanceof TypeError)) throw error;
    }
    triesLeft -= 1;
    if (triesLeft < 0) {
      const detail = `The server broke the stream off ${MAX_TRIES} times in a row without anything new. What it was about may go on all the same.`;
      throw new BerthError('INTERNAL', { detail });
    }
    await sleep(RETRY_MS, signal);
  }
}

/** Ids are numbers, or several joined by hyphens; the first that differs decides. */
function isFurther(id: string, furthest: string | undefined): boolean {
  if (furthest === undefined) return true;
  const [one, other] = [id, furthest].map((text) => text.split('-').map(Number));
  const at = one?.findIndex((number, index) => number !== other?.[index]) ?? -1;
  return at >= 0 && (one?.[at] ?? 0) > (other?.[at] ?? -1);
}

function parse(response: Response) {
  if (!response.body) throw new TypeError('The answer has no body.');
  return response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
}
