/** Sends a request whose body is wholly known over a connection that is kept: the common and cheapest way. */
import type { Happened } from '../core/retry.ts';
import { NOTHING_SENT, type Sent } from '../core/unread.ts';
import { NotHttpError } from './answer-reader.ts';
import type { Attempt, AttemptSink, OutgoingRequest } from './attempt.ts';
import type { Connection, ConnectionUser, WireRequest } from './connection.ts';
import { isHeaderName, isHeaderValue, isTarget } from './header-form.ts';
import type { Upstream } from './upstream.ts';

/** `body` is null when there is none. @returns undefined when the request cannot be written down as HTTP/1.1. */
export function sendWhole(
  upstream: Upstream,
  request: OutgoingRequest,
  body: Buffer | null,
  sink: AttemptSink,
): Attempt | undefined {
  const wire = wireRequest(request, body);
  if (wire === undefined) return undefined;
  const attempt = new WholeAttempt(wire, sink);
  attempt.begin(upstream);
  return attempt;
}

class WholeAttempt implements Attempt, ConnectionUser {
  readonly request: WireRequest;
  readonly #sink: AttemptSink;
  #connection: Connection | undefined;
  #isSent = false;
  #hasHead = false;
  #isOver = false;

  constructor(request: WireRequest, sink: AttemptSink) {
    this.request = request;
    this.#sink = sink;
  }

  begin(upstream: Upstream): void {
    this.#connection = upstream.send(this);
  }

  resume(): void {
    if (!this.#isOver) this.#connection?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.destroy();
  }

  sent(): Sent | undefined {
    if (this.#hasHead) return undefined;
    if (!this.#isSent || this.#connection === undefined) return NOTHING_SENT;
    const { localAddress = '', localPort = 0 } = this.#connection.socket;
    const { head, body } = this.request;
    // All of it was written at once.
    return { localHost: localAddress, localPort, bytes: head.length + (body?.length ?? 0) };
  }

  onSent(connection: Connection): void {
    this.#connection = connection;
    this.#isSent = true;
  }

  onInformation(status: number, headers: readonly string[]): void {
    if (!this.#isOver) this.#sink.onInformation(status, headers);
  }

  onHead(status: number, message: string, headers: readonly string[]): void {
    if (this.#isOver) return;
    this.#hasHead = true;
    this.#sink.onHead(status, message, headers);
  }

  onBody(bytes: Buffer): boolean {
    // What is passed on may wait for a slow client, and the bytes are lent.
    return this.#isOver || this.#sink.onData(Buffer.from(bytes));
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#sink.onEnd(trailers);
    } catch (error) {
      this.#sink.onFailure('answering', error as Error);
    }
  }

  onRefused(error: Error): void {
    this.#fail('refused', error);
  }

  onBroken(error: Error): void {
    this.#fail(this.#hasHead || error instanceof NotHttpError ? 'answering' : 'reset', error);
  }

  #fail(happened: Happened, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink.onFailure(happened, error);
  }
}

/** Methods whose requests say that they have no body when they have none (RFC 9110 8.6). */
const WITH_BODY: ReadonlySet<string> = new Set([
  'POST',
  'PUT',
  'PATCH',
  'QUERY',
  'PROPFIND',
  'PROPPATCH',
]);

function wireRequest(
  { method, path, headers }: OutgoingRequest,
  body: Buffer | null,
): WireRequest | undefined {
  if (!isHeaderName(method) || !isTarget(path)) return undefined;
  const hasBody = body !== null && body.length > 0;
  const isHead = method === 'HEAD';
  // Some apps answer these two with bytes, or leave bytes unread, that would be taken for part of the next.
  const mayStay = !isHead && (!hasBody || WITH_BODY.has(method));
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isHeaderName(name) || !isHeaderValue(value)) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  head += mayStay ? 'connection: keep-alive\r\n' : 'connection: close\r\n';
  if (hasBody || WITH_BODY.has(method)) head += `content-length: ${body?.length ?? 0}\r\n`;
  return { head: `${head}\r\n`, body: hasBody ? body : null, isHead, mayStay };
}
