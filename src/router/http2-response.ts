/** The answer to a request that came as a stream of HTTP/2, written as the router writes to HTTP/1.1. */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { RawHeaders } from './headers.ts';
import type { InboundResponse } from './inbound.ts';

export class Http2Response implements InboundResponse {
  /** Belongs to the session, which is told to go when all of the router closes. */
  shouldKeepAlive = true;
  readonly #stream: ServerHttp2Stream;
  readonly #isHead: boolean;
  #trailers: OutgoingHttpHeaders | undefined;
  #isGuarded = false;
  /** A head that waits for what goes with it: with nothing behind it, it ends the stream itself. */
  #head: OutgoingHttpHeaders | undefined;

  constructor(stream: ServerHttp2Stream, method: string) {
    this.#stream = stream;
    this.#isHead = method === 'HEAD';
    // Whoever uses the stream sees its end by 'close'.
    stream.on('error', () => {});
  }

  get headersSent(): boolean {
    return this.#head !== undefined || this.#stream.headersSent;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  get writableEnded(): boolean {
    // To HEAD, Node ends the body before there is a head.
    return this.#head === undefined && this.#stream.headersSent && this.#stream.writableEnded;
  }

  get writableFinished(): boolean {
    const { aborted, rstCode, writableFinished } = this.#stream;
    // Node ends what the client closed, and calls that finished.
    return writableFinished && rstCode === constants.NGHTTP2_NO_ERROR && !aborted;
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  writeContinue(): void {
    this.writeInformation(constants.HTTP_STATUS_CONTINUE, []);
  }

  writeInformation(status: number, headers: RawHeaders): void {
    if (!this.destroyed) this.#stream.additionalHeaders({ ':status': status, ...nested(headers) });
  }

  /** HTTP/2 has no message beside the status. */
  writeHead(status: number, message: string | RawHeaders, given?: RawHeaders): void {
    if (this.destroyed) return;
    const headers = nested(given ?? (message as RawHeaders));
    headers[':status'] = status;
    this.#head = headers;
  }

  /** Says yes to a WebSocket: from now on the stream is whoever's asked for it. */
  accept(given: RawHeaders): void {
    if (this.destroyed) return;
    const headers = nested(given);
    // Means nothing here (RFC 8441 5), as there was no key.
    delete headers['sec-websocket-accept'];
    this.#stream.respond({ ...headers, ':status': constants.HTTP_STATUS_OK });
  }

  write(chunk: Buffer | string, encoding?: 'latin1' | 'utf8'): boolean {
    this.#sendHead(false);
    // That was all that writing nothing is for.
    if (chunk.length === 0 || this.#isMute()) return true;
    return typeof chunk === 'string'
      ? this.#stream.write(chunk, encoding ?? 'utf8')
      : this.#stream.write(chunk);
  }

  on(event: 'close', listener: () => void): void {
    this.#stream.on(event, listener);
  }

  once(event: 'close' | 'drain', listener: () => void): void {
    this.#stream.once(event, listener);
  }

  addTrailers(trailers: [string, string][]): void {
    this.#trailers = nested(trailers.flat());
  }

  end(chunk?: Buffer | string, encoding: 'latin1' | 'utf8' = 'utf8'): void {
    this.#sendHead((chunk?.length ?? 0) === 0 && this.#trailers === undefined);
    if (this.#isMute()) return;
    if (chunk === undefined || chunk.length === 0) this.#stream.end();
    else this.#stream.end(chunk, encoding);
  }

  /** The client sees that the answer is not whole. */
  destroy(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  setTimeout(ms: number): void {
    if (!this.#isGuarded) {
      this.#isGuarded = true;
      this.#stream.on('timeout', () => this.#stream.close(constants.NGHTTP2_CANCEL));
    }
    this.#stream.setTimeout(ms);
  }

  /** Nothing more may be written: to HEAD and to 204 the head is all, and Node has ended the stream by itself. */
  #isMute(): boolean {
    return this.#stream.writableEnded || this.destroyed;
  }

  #sendHead(endStream: boolean): void {
    const head = this.#head;
    this.#head = undefined;
    if (head === undefined || this.destroyed) return;
    // Trailers come behind bodies that do not say how long they are.
    const waitForTrailers = !endStream && head['content-length'] === undefined && !this.#isHead;
    this.#stream.respond(head, { endStream, waitForTrailers });
    if (waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers());
  }

  #sendTrailers(): void {
    // Without any, this is what ends the stream.
    this.#stream.sendTrailers(this.#trailers ?? {});
  }
}

/** Names in lower case; several values of one name become a list. */
function nested(raw: RawHeaders): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else headers[name] = Array.isArray(known) ? [...known, value] : [String(known), value];
  }
  return headers;
}
