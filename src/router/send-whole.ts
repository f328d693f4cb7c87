/** Sends a request whose body is wholly known through the instance's pool: the common and cheapest way. */
import type { Dispatcher } from 'undici';
import type { Happened } from '../core/retry.ts';
import { NOTHING_SENT, type Sent } from '../core/unread.ts';
import {
  type Attempt,
  type AttemptSink,
  codeOf,
  isNotHttp,
  type OutgoingRequest,
  type ReceivedHeaders,
  sentOn,
} from './attempt.ts';
import type { Connection, ConnectionUser } from './connection.ts';

const NO_HEADERS: ReceivedHeaders = [];

/** `body` is null when there is none. */
export function sendWhole(
  pool: Dispatcher,
  request: OutgoingRequest,
  body: Buffer | null,
  sink: AttemptSink,
): Attempt {
  const attempt = new WholeAttempt(sink);
  pool.dispatch(
    { path: request.path, method: request.method, headers: request.headers, body },
    attempt,
  );
  return attempt;
}

class WholeAttempt implements Attempt, ConnectionUser {
  readonly #sink: AttemptSink;
  #controller: Dispatcher.DispatchController | undefined;
  #hasHead = false;
  #isOver = false;
  connection: Connection | undefined;
  #writtenBefore = 0;

  constructor(sink: AttemptSink) {
    this.#sink = sink;
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    this.#isOver = true;
    this.#controller?.abort(new Error('aborted'));
  }

  sent(): Sent | undefined {
    if (this.#hasHead) return undefined;
    // undici calls onRequestStart just before it writes the first byte.
    if (this.#controller === undefined) return NOTHING_SENT;
    const socket = this.connection?.socket;
    return socket && sentOn(socket, this.#writtenBefore);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // What earlier requests on the same connection sent does not count.
    this.#writtenBefore = this.connection?.socket?.bytesWritten ?? 0;
    if (this.#isOver) controller.abort(new Error('aborted'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    message = '',
  ): void {
    if (this.#isOver) return;
    const headers = received(controller.rawHeaders);
    if (status < 200) {
      this.#sink.onInformation(status, headers);
      return;
    }
    this.#hasHead = true;
    this.#sink.onHead(status, message, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isOver && !this.#sink.onData(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.onEnd(received(controller.rawTrailers));
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.onFailure(this.#happened(error), error);
  }

  #happened(error: Error): Happened {
    const code = codeOf(error);
    // undici calls onRequestStart just before it writes the first byte.
    if (this.#controller === undefined) {
      return code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED' ? 'undelivered' : 'refused';
    }
    // Two lengths in one head come out as a body that fits neither.
    const isNoAnswer = isNotHttp(error) || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
    return this.#hasHead || isNoAnswer ? 'answering' : 'reset';
  }
}

/** HTTP/1.1 gives a flat list; anything else would be a plain object, which this pool never gives. */
function received(headers: Dispatcher.DispatchController['rawHeaders']): ReceivedHeaders {
  return Array.isArray(headers) ? headers : NO_HEADERS;
}
