/** One attempt to get an answer from one instance, whatever way it is sent: what goes in, and what comes back. */
import type { Socket } from 'node:net';
import type { Happened } from '../core/retry.ts';
import type { Sent } from '../core/unread.ts';
import { NotHttpError } from './answer-reader.ts';
import type { RawHeaders } from './headers.ts';

/** What is sent to the app. */
export interface OutgoingRequest {
  readonly method: string;
  /** Origin form: path and query as the client sent them; or `*`. */
  readonly path: string;
  /** End-to-end headers, without framing. */
  readonly headers: RawHeaders;
}

/** Headers as they came: name, value, name, value, … */
export type ReceivedHeaders = readonly (string | Buffer)[];

/** Who hears of the answer. Nothing is called after `onEnd`, `onUpgrade`, `onFailure` or an `abort`. */
export interface AttemptSink {
  /** A 1xx answer other than 101. */
  onInformation(status: number, headers: ReceivedHeaders): void;
  onHead(status: number, message: string, headers: ReceivedHeaders): void;
  /** False: nothing more until `resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: ReceivedHeaders): void;
  /** 101: from now on the socket is the sink's. `head` was read behind the answer. */
  onUpgrade?(message: string, headers: ReceivedHeaders, socket: Socket, head: Buffer): void;
  onFailure(happened: Happened, error: Error): void;
}

/** An attempt under way. */
export interface Attempt {
  /** Go on after `onData` gave false. */
  resume(): void;
  /** Closes the connection to the app at once. */
  abort(): void;
  /** What has left for the app so far; undefined once an answer has begun, or when it cannot be told. */
  sent?(): Sent | undefined;
}

/** What was written to a connection since it had written `before` bytes. */
export function sentOn(
  socket: Pick<Socket, 'localAddress' | 'localPort' | 'bytesWritten'>,
  before: number,
): Sent {
  const { localAddress = '', localPort = 0 } = socket;
  return { localHost: localAddress, localPort, bytes: socket.bytesWritten - before };
}

/** The code of a system or Node error; empty when it has none. */
export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What the parsers say, or Node when it is to write it again, of an answer that breaks the rules of HTTP. */
export function isNotHttp(error: Error): boolean {
  return error instanceof NotHttpError || /^(?:HPE_|ERR_HTTP_|ERR_INVALID_)/.test(codeOf(error));
}
