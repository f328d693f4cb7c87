/**
 * Sends a request over a connection of its own: bodies that are still coming (headers go at once, `Expect` and
 * trailers pass), and upgrades. A fresh connection cannot be one that the app is just closing, which matters here
 * because such a request can seldom be sent twice.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Happened } from '../core/retry.ts';
import type { Sent } from '../core/unread.ts';
import {
  type Attempt,
  type AttemptSink,
  isNotHttp,
  type OutgoingRequest,
  sentOn,
} from './attempt.ts';
import type { BodyTarget, RequestBody } from './body.ts';
import type { RouterLimits } from './limits.ts';

/** `socket` is being connected. `request.headers` include the framing (`content-length` or `transfer-encoding`) or the upgrade here. */
export function sendStream(
  socket: Socket,
  request: OutgoingRequest,
  body: RequestBody,
  sink: AttemptSink,
  limits: RouterLimits,
): Attempt {
  return new StreamAttempt(socket, request, body, sink, limits);
}

class StreamAttempt implements Attempt, BodyTarget {
  readonly #request: OutgoingRequest;
  readonly #body: RequestBody;
  readonly #sink: AttemptSink;
  readonly #limits: RouterLimits;
  readonly #socket: Socket;
  #upstream: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #isOver = false;

  constructor(
    socket: Socket,
    request: OutgoingRequest,
    body: RequestBody,
    sink: AttemptSink,
    limits: RouterLimits,
  ) {
    this.#request = request;
    this.#body = body;
    this.#sink = sink;
    this.#limits = limits;
    this.#socket = socket;
    this.#socket.setNoDelay(true);
    this.#socket.setTimeout(limits.connectTimeoutMs, () => {
      if (this.#upstream === undefined) this.#socket.destroy(new Error('connect timed out'));
    });
    this.#socket.once('connect', () => this.#send());
    this.#socket.once('error', (error) => this.#fail(error));
    this.#socket.once('close', () => this.#fail(new Error('the connection was closed')));
  }

  resume(): void {
    this.#response?.resume();
  }

  abort(): void {
    this.#leave();
    this.#socket.destroy();
  }

  sent(): Sent | undefined {
    return this.#response === undefined ? sentOn(this.#socket, 0) : undefined;
  }

  write(chunk: Buffer): boolean {
    return this.#upstream?.write(chunk) ?? false;
  }

  end(): void {
    const trailers = this.#body.trailers;
    if (trailers.length > 0 && this.#body.contentLength === undefined) {
      this.#upstream?.addTrailers(pairs(trailers));
    }
    this.#upstream?.end();
  }

  #send(): void {
    if (this.#isOver) return;
    this.#socket.setTimeout(0);
    const upstream = httpRequest({
      createConnection: () => this.#socket,
      method: this.#request.method,
      path: this.#request.path,
      // A flat list is sent as it is; the types know only the nested forms.
      headers: this.#request.headers as readonly string[],
      maxHeaderSize: this.#limits.responseHeaderBytes,
    });
    this.#upstream = upstream;
    upstream.on('drain', () => this.#body.resume());
    upstream.on('error', (error) => this.#fail(error));
    upstream.on('information', ({ statusCode, rawHeaders }) => {
      if (!this.#isOver) this.#sink.onInformation(statusCode, rawHeaders);
    });
    upstream.on('response', (response) => this.#receive(response));
    if (this.#sink.onUpgrade !== undefined) {
      upstream.on('upgrade', (response, socket, head) => this.#upgrade(response, socket, head));
    }
    // Not `flushHeaders`, which writes header bytes beyond ASCII as UTF-8.
    upstream.write('', 'latin1');
    this.#body.sendTo(this);
  }

  #receive(response: IncomingMessage): void {
    if (this.#isOver) return;
    this.#response = response;
    response.on('error', (error) => this.#fail(error));
    response.on('data', (chunk: Buffer) => {
      if (!this.#isOver && !this.#sink.onData(chunk)) response.pause();
    });
    response.on('end', () => {
      if (this.#isOver) return;
      this.#leave();
      this.#socket.destroy();
      this.#sink.onEnd(response.rawTrailers);
    });
    try {
      this.#sink.onHead(
        response.statusCode ?? 0,
        response.statusMessage ?? '',
        response.rawHeaders,
      );
    } catch (error) {
      this.#fail(error as Error);
      this.#socket.destroy();
    }
  }

  #upgrade(response: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#isOver) return;
    this.#leave();
    this.#sink.onUpgrade?.(response.statusMessage ?? '', response.rawHeaders, socket, head);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#leave();
    this.#sink.onFailure(this.#happened(error), error);
  }

  #happened(error: Error): Happened {
    if (this.#upstream === undefined) return 'refused';
    return this.#response !== undefined || isNotHttp(error) ? 'answering' : 'reset';
  }

  #leave(): void {
    this.#isOver = true;
    this.#body.detach();
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) result.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return result;
}
