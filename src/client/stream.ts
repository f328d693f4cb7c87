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
/** Tries in a row without a single event: a restart of the server takes less. */
const MAX_TRIES = 60;

/**
 * Events until the signal aborts or the reader stops. A connection that breaks is opened again where it was; what the
 * server refuses is thrown, and SERVER_NOT_RUNNING when it does not come back.
 */
export async function* serverEvents(options: StreamOptions): AsyncGenerator<ServerEvent, void> {
  const { open, sleep, signal } = options;
  let lastEventId: string | undefined;
  let triesLeft = MAX_TRIES;
  let isFirst = true;
  while (!signal?.aborted) {
    try {
      const response = await open(lastEventId);
      isFirst = false;
      for await (const event of parse(response)) {
        triesLeft = MAX_TRIES;
        lastEventId = event.id ?? lastEventId;
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
      throw new BerthError('SERVER_NOT_RUNNING', { detail: 'The server ends every connection.' });
    }
    await sleep(RETRY_MS, signal);
  }
}

function parse(response: Response) {
  if (!response.body) throw new TypeError('The answer has no body.');
  return response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
}
