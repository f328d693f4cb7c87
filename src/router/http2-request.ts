/** A request that came as a stream of HTTP/2, in the form that the router knows: what HTTP/1.1 says in other ways is said so. */
import type { IncomingHttpHeaders } from 'node:http';
import {
  constants,
  type IncomingHttpHeaders as Http2Headers,
  type ServerHttp2Stream,
} from 'node:http2';
import type { InboundRequest, Inlet } from './inbound.ts';

export class Http2Request implements InboundRequest {
  readonly httpVersionMajor = 2;
  readonly httpVersionMinor = 0;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Without pseudo-headers; `host` stands first. */
  readonly rawHeaders: readonly string[];
  rawTrailers: readonly string[] = [];
  readonly hasBody: boolean;
  readonly socket: Inlet;
  readonly stream: ServerHttp2Stream;
  /** RFC 8441: the stream is to become a WebSocket. */
  readonly isWebSocket: boolean;

  /** `key` gives what HTTP/1.1 wants in a WebSocket's handshake and HTTP/2 has not. */
  constructor(
    stream: ServerHttp2Stream,
    headers: Http2Headers,
    raw: readonly string[],
    key: () => string,
  ) {
    this.stream = stream;
    this.isWebSocket = headers[':method'] === 'CONNECT' && headers[':protocol'] === 'websocket';
    this.method = this.isWebSocket ? 'GET' : (headers[':method'] ?? '');
    this.url = headers[':path'] ?? '';
    const plain = plainHeaders(headers[':authority'], raw);
    this.rawHeaders = this.isWebSocket ? [...plain, 'sec-websocket-key', key()] : plain;
    this.headers = this.isWebSocket ? { ...headers, upgrade: 'websocket' } : headers;
    this.hasBody = !this.isWebSocket && !stream.endAfterHeaders;
    this.socket = new StreamInlet(stream);
    stream.on('trailers', (_trailers, _flags, rawTrailers) => {
      this.rawTrailers = rawTrailers;
    });
  }

  /** Node tells only when the end was reached by reading, or by itself when there was nothing to read. */
  get complete(): boolean {
    return this.stream.readableEnded && !this.stream.aborted;
  }

  get readableLength(): number {
    return this.stream.readableLength;
  }

  read(): unknown {
    return this.stream.read();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  on(event: 'data' | 'end', listener: (chunk: Buffer) => void): void {
    this.stream.on(event, listener);
  }
}

class StreamInlet implements Inlet {
  readonly #stream: ServerHttp2Stream;
  readonly encrypted: boolean;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    this.encrypted = stream.session?.encrypted ?? false;
  }

  get remoteAddress(): string | undefined {
    return this.#stream.session?.socket.remoteAddress;
  }

  get localPort(): number | undefined {
    return this.#stream.session?.socket.localPort;
  }

  destroy(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

/**
 * What HTTP/1.1 would have sent: `host` for the authority, and one `cookie` for its crumbs (RFC 9113 8.2.3). A second
 * `host` that says the same is dropped; one that says otherwise stays, to be refused as two hosts.
 */
function plainHeaders(authority: string | undefined, raw: readonly string[]): readonly string[] {
  const plain: string[] = authority === undefined ? [] : ['host', authority];
  let cookie = '';
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.startsWith(':') || (name === 'host' && value === authority)) continue;
    if (name === 'cookie') cookie += cookie === '' ? value : `; ${value}`;
    else plain.push(name, value);
  }
  if (cookie !== '') plain.push('cookie', cookie);
  return plain;
}
