/** Sends a request to an app that speaks HTTP/2 without TLS: gRPC needs it, for its trailers and its streams in both directions. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Happened } from '../core/retry.ts';
import { NOTHING_SENT, type Sent } from '../core/unread.ts';
import {
  type Attempt,
  type AttemptSink,
  type OutgoingRequest,
  type ReceivedHeaders,
  sentOn,
} from './attempt.ts';
import type { BodyTarget, RequestBody } from './body.ts';

/** What HTTP/2 has other ways for (RFC 9113 8.2.2). */
const NOT_THERE = new Set(['host', 'connection', 'transfer-encoding', 'upgrade', 'keep-alive']);

/** `whole` is the body, null when there is none, undefined when it is still coming. */
export function sendHttp2(
  session: ClientHttp2Session,
  request: OutgoingRequest,
  body: RequestBody,
  whole: Buffer | null | undefined,
  sink: AttemptSink,
): Attempt {
  return new Http2Attempt(session, request, body, whole, sink);
}

class Http2Attempt implements Attempt, BodyTarget {
  readonly #session: ClientHttp2Session;
  readonly #body: RequestBody;
  readonly #sink: AttemptSink;
  readonly #stream: ClientHttp2Stream;
  /** What the connection had written before: what comes later, also of other streams, is read after it. */
  readonly #writtenBefore: number;
  #trailers: ReceivedHeaders = [];
  #hasHead = false;
  #isOver = false;

  constructor(
    session: ClientHttp2Session,
    request: OutgoingRequest,
    body: RequestBody,
    whole: Buffer | null | undefined,
    sink: AttemptSink,
  ) {
    this.#session = session;
    this.#body = body;
    this.#sink = sink;
    this.#writtenBefore = session.connecting ? 0 : session.socket.bytesWritten;
    const stream = session.request(headersFor(request), {
      endStream: whole === null,
      waitForTrailers: whole === undefined,
    });
    this.#stream = stream;
    stream.on('wantTrailers', () => stream.sendTrailers(nested(body.trailers)));
    stream.on('headers', (headers, _flags, raw) => {
      if (!this.#isOver) sink.onInformation(headers[':status'] ?? 0, plain(raw));
    });
    stream.on('continue', () => {
      if (!this.#isOver) sink.onInformation(constants.HTTP_STATUS_CONTINUE, []);
    });
    stream.on('response', (headers, flags, raw) => {
      this.#onHead(headers[':status'] ?? 0, raw);
      // What is nothing but a head is passed on as such: that is how gRPC refuses.
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) this.#onEnd();
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.#isOver && !sink.onData(chunk)) stream.pause();
    });
    stream.on('trailers', (_headers, _flags, raw) => {
      this.#trailers = raw;
    });
    stream.on('end', () => this.#onEnd());
    stream.on('drain', () => body.resume());
    stream.on('error', (error: Error) => this.#fail(error));
    stream.on('close', () => this.#fail(new Error('the stream was closed')));
    if (whole === undefined) body.sendTo(this);
    else if (whole !== null) stream.end(whole);
  }

  resume(): void {
    this.#stream.resume();
  }

  abort(): void {
    this.#leave();
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  sent(): Sent | undefined {
    if (this.#hasHead || this.#session.destroyed) return undefined;
    return this.#session.connecting
      ? NOTHING_SENT
      : sentOn(this.#session.socket, this.#writtenBefore);
  }

  write(chunk: Buffer): boolean {
    return this.#stream.writable ? this.#stream.write(chunk) : true;
  }

  end(): void {
    if (this.#stream.writable) this.#stream.end();
  }

  #onHead(status: number, raw: readonly string[]): void {
    if (this.#isOver) return;
    this.#hasHead = true;
    try {
      this.#sink.onHead(status, '', plain(raw));
    } catch (error) {
      this.#fail(error as Error);
      this.#stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  #onEnd(): void {
    // Node ends what was reset too; then 'close' or 'error' follows.
    if (this.#isOver || !this.#hasHead || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR)
      return;
    this.#leave();
    if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    this.#sink.onEnd(this.#trailers);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#leave();
    this.#sink.onFailure(this.#happened(), error);
  }

  #happened(): Happened {
    if (this.#hasHead) return 'answering';
    if (this.#session.connecting) return 'refused';
    // The app says itself that it has not looked at the request (RFC 9113 8.7).
    const isUnread = this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    return isUnread || this.#stream.pending ? 'undelivered' : 'reset';
  }

  #leave(): void {
    this.#isOver = true;
    this.#body.detach();
  }
}

function headersFor({ method, path, headers }: OutgoingRequest): OutgoingHttpHeaders {
  const result: OutgoingHttpHeaders = { ':method': method, ':path': path, ':scheme': 'http' };
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (name === 'host') result[':authority'] = value;
    if (!NOT_THERE.has(name)) add(result, name, value);
  }
  return result;
}

function nested(raw: readonly string[]): OutgoingHttpHeaders {
  const result: OutgoingHttpHeaders = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    add(result, (raw[i] as string).toLowerCase(), raw[i + 1] as string);
  }
  return result;
}

function add(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else headers[name] = Array.isArray(known) ? [...known, value] : [String(known), value];
}

/** Without `:status`. */
function plain(raw: readonly string[]): ReceivedHeaders {
  return raw[0]?.startsWith(':') === true ? raw.slice(2) : raw;
}
