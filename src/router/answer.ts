/** What the client gets: the app's answer as it comes, or the page of a failure. */
import type { BerthError } from '../core/errors.ts';
import type { Served } from './access-log.ts';
import type { ReceivedHeaders } from './attempt.ts';
import type { RequestContext, RouterContext } from './context.ts';
import { errorPage } from './error-page.ts';
import { type RawHeaders, responseHeaders } from './headers.ts';
import { grpcStatus, isGrpc } from './grpc.ts';
import { type InboundRequest, type InboundResponse, isHttp10 } from './inbound.ts';

/** Up to this size copying a body beside its head is cheaper than a second buffer of the same write. */
const TEXT_BYTES = 4_096;
const HSTS = 'strict-transport-security';

export class Answer {
  readonly #context: RouterContext;
  readonly #request: RequestContext;
  readonly #req: InboundRequest;
  readonly #res: InboundResponse;
  readonly #served: Served;
  /** Of the app's answer, as it announced it. */
  #contentLength: number | undefined;
  #isWaitingForDrain = false;
  #isFlushed = false;
  #isWhole = false;
  #isContinued = false;

  constructor(
    context: RouterContext,
    request: RequestContext,
    req: InboundRequest,
    res: InboundResponse,
    served: Served,
  ) {
    this.#context = context;
    this.#request = request;
    this.#req = req;
    this.#res = res;
    this.#served = served;
  }

  get hasBegun(): boolean {
    return this.#res.headersSent;
  }

  /** Everything was written, though perhaps not yet read by the client. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The client was asked to hold its body back, and still does: nothing more of it will come. */
  get isBodyHeldBack(): boolean {
    return this.#req.headers.expect !== undefined && !this.#isContinued;
  }

  /** Passes a 1xx on, to clients that know what it is. */
  inform(status: number, headers: ReceivedHeaders): void {
    if (this.hasBegun || isHttp10(this.#req)) return;
    if (status === 100) {
      this.#isContinued = true;
      this.#res.writeContinue();
    } else {
      this.#res.writeInformation(status, responseHeaders(headers, false).headers);
    }
  }

  /** @returns what the app says about being busy. */
  head(status: number, message: string, received: ReceivedHeaders): string | undefined {
    const mayHaveTrailers =
      !isHttp10(this.#req) && this.#req.method !== 'HEAD' && status !== 204 && status !== 304;
    const { headers, contentLength, busy } = responseHeaders(received, mayHaveTrailers);
    this.#contentLength = contentLength;
    this.#served.addHeaders(headers, this.#request.id);
    this.#writeHead(status, message, headers);
    // The head goes with the first bytes of the body when they come at once, and alone when they do not.
    process.nextTick(flush, this);
    return busy;
  }

  /** False: the client is slower than the app; `onRoom` is called when it has caught up. */
  data(chunk: Buffer, onRoom: () => void): boolean {
    this.#served.bytesOut += chunk.length;
    this.#isFlushed = true;
    if (this.#served.bytesOut === this.#contentLength) {
      // The last bytes are known to be that: head, body and end go out together. As text they are one write with the
      // head, which costs less than gathering two; Latin-1 gives every byte back as it was.
      if (chunk.length <= TEXT_BYTES) this.#res.end(chunk.toString('latin1'), 'latin1');
      else this.#res.end(chunk);
      return true;
    }
    if (this.#res.write(chunk)) return true;
    if (!this.#isWaitingForDrain) {
      this.#isWaitingForDrain = true;
      this.#boundReader();
      this.#res.once('drain', () => {
        this.#isWaitingForDrain = false;
        this.#res.setTimeout(0);
        onRoom();
      });
    }
    return false;
  }

  end(trailers: ReceivedHeaders): void {
    if (trailers.length > 0) this.#res.addTrailers(pairs(responseHeaders(trailers, true).headers));
    this.#isWhole = true;
    this.#isFlushed = true;
    if (!this.#res.writableEnded) this.#res.end();
    if (this.#res.writableLength > 0) this.#boundReader();
  }

  /** From now on the client has to take something now and then; the timer of sockets sees every byte that it takes. */
  #boundReader(): void {
    this.#res.setTimeout(this.#context.limits.writeTimeoutMs);
  }

  /** Sends the head now if nothing has gone with it yet. */
  flush(): void {
    if (this.#isFlushed || this.#res.destroyed) return;
    this.#isFlushed = true;
    // Not `flushHeaders`, which writes header bytes beyond ASCII as UTF-8.
    this.#res.write('', 'latin1');
  }

  /**
   * The page of a failure; or, when an answer has begun, its end without its last bytes, so that the client sees that
   * it is not whole. With `isOpen` the connection stays open for the rest of the request: closed on unread bytes, TCP
   * would take the page away from a client that is still sending.
   */
  fail(error: BerthError, isOpen: boolean, status = error.status): void {
    this.#served.error = error.code;
    if (this.#res.destroyed) return;
    if (isGrpc(this.#req)) {
      this.#failGrpc(error);
      return;
    }
    if (this.hasBegun) {
      this.#res.destroy();
      return;
    }
    const page = errorPage(error, {
      id: this.#request.id,
      method: this.#req.method ?? '',
      accept: this.#req.headers.accept,
      platformOrigin: this.#request.platformOrigin,
      version: this.#context.version,
      status,
    });
    const headers: RawHeaders = Object.entries(page.headers).flat();
    this.#served.addHeaders(headers, this.#request.id);
    const bytes = Buffer.byteLength(page.body);
    this.#served.bytesOut = bytes;
    this.#writeHead(page.status, '', headers);
    this.#isWhole = true;
    // Plain ASCII goes out as it lies in memory.
    const encoding = bytes === page.body.length ? 'latin1' : 'utf8';
    if (!isOpen) this.#res.end(page.body, encoding);
    else this.#res.write(page.body, encoding);
  }

  #failGrpc(error: BerthError): void {
    const status = grpcStatus(error);
    if (this.hasBegun) {
      this.#res.addTrailers(pairs(status));
    } else {
      const headers = ['content-type', 'application/grpc', ...status];
      this.#served.addHeaders(headers, this.#request.id);
      this.#writeHead(200, '', headers);
    }
    this.#isWhole = true;
    this.#res.end();
  }

  /** A short answer of the router's own; `isOpen` as for `fail`. */
  say(
    status: number,
    given: Readonly<Record<string, string>>,
    body: string,
    isOpen: boolean,
  ): void {
    const isHead = this.#req.method === 'HEAD';
    const headers: RawHeaders = Object.entries(given).flat();
    headers.push('content-length', String(Buffer.byteLength(body)));
    this.#served.addHeaders(headers, this.#request.id);
    this.#served.bytesOut = isHead ? 0 : Buffer.byteLength(body);
    this.#writeHead(status, '', headers);
    this.#isWhole = true;
    if (!isHead) this.#res.write(body, 'latin1');
    if (!isOpen) this.#res.end();
  }

  #writeHead(status: number, message: string, headers: RawHeaders): void {
    const { hstsSeconds } = this.#context;
    if (hstsSeconds !== undefined && this.#request.proto === 'https' && !hasHsts(headers)) {
      headers.push(HSTS, `max-age=${hstsSeconds}`);
    }
    if (this.#request.setCookie !== undefined) headers.push('set-cookie', this.#request.setCookie);
    if (this.#context.isClosing) this.#res.shouldKeepAlive = false;
    if (message === '') this.#res.writeHead(status, headers);
    else this.#res.writeHead(status, message, headers);
    this.#served.status = status;
  }
}

/** The app's own, which may say more, goes before ours. */
function hasHsts(headers: RawHeaders): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() === HSTS) return true;
  }
  return false;
}

function flush(answer: Answer): void {
  answer.flush();
}

function pairs(raw: RawHeaders): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) result.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return result;
}
