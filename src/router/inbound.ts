/** A client's request and the way to answer it, by whatever version of HTTP: what the router uses of them. */
import type { IncomingHttpHeaders } from 'node:http';
import type { RawHeaders } from './headers.ts';

/** The client's end of what carries a request: its connection, or with HTTP/2 its stream. */
export interface Inlet {
  readonly remoteAddress?: string | undefined;
  readonly localPort?: number | undefined;
  destroy(): unknown;
}

/** Node's `IncomingMessage` is one as it stands. */
export interface InboundRequest {
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  /** Every byte is here, read or not. */
  readonly complete: boolean;
  readonly readableLength: number;
  readonly socket: Inlet;
  /** Where the headers do not tell; undefined: they do. */
  readonly hasBody?: boolean;
  read(): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** Node's `ServerResponse` is one as it stands. */
export interface InboundResponse {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly writableLength: number;
  shouldKeepAlive: boolean;
  writeContinue(): void;
  writeInformation(status: number, headers: RawHeaders): void;
  writeHead(status: number, headers: RawHeaders): unknown;
  writeHead(status: number, message: string, headers: RawHeaders): unknown;
  write(chunk: Buffer | string, encoding: 'latin1' | 'utf8'): boolean;
  write(chunk: Buffer | string): boolean;
  addTrailers(trailers: [string, string][]): void;
  end(chunk: string, encoding: 'latin1' | 'utf8'): unknown;
  end(chunk?: Buffer | string): unknown;
  destroy(): unknown;
  /** Cuts the client off when it takes nothing for so many ms; 0: never. */
  setTimeout(ms: number): unknown;
  /** `close` comes once: taking its listeners away again would only cost. */
  on(event: 'close', listener: () => void): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
}

/** The version that knows no 1xx, no chunks and no trailers. */
export function isHttp10(req: InboundRequest): boolean {
  return req.httpVersionMajor === 1 && req.httpVersionMinor === 0;
}
