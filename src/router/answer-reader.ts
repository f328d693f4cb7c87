/** Reads answers of HTTP/1.1 as their bytes come, and refuses every form that could be read in two ways. */
import { isHeaderName, isHeaderValue } from './header-form.ts';

/** Who hears what an answer says. Bytes of a body are the reader's own: they are gone when the call returns. */
export interface AnswerListener {
  /** A 1xx answer other than 100 and 101. */
  onInformation(status: number, headers: readonly string[]): void;
  onHead(status: number, message: string, headers: readonly string[]): void;
  /** False: nothing more for now; what came with it may still follow. */
  onBody(bytes: Buffer): boolean;
}

/** What the app sent is no answer of HTTP/1.1, or one whose end cannot be told for certain. */
export class NotHttpError extends Error {
  override readonly name = 'NotHttpError';
}

type Mode = 'head' | 'sized' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailers' | 'toClose' | 'over';

/** What a head says of the body and of the connection. */
interface Framing {
  contentLength: number | undefined;
  transferEncoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
}

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const START = 'HTTP/1.';
const CHUNK_SIZE = /^[0-9a-f]{1,16}(?:;|$)/i;
/** A line with the size of a chunk, its extensions included. */
const CHUNK_LINE_BYTES = 4_096;

export class AnswerReader {
  readonly #listener: AnswerListener;
  readonly #headBytes: number;
  /** The answer to HEAD has no body, whatever it announces. */
  readonly #isToHead: boolean;
  #mode: Mode = 'head';
  /** Text of a head, a line or trailers of which the end has not come yet. */
  #held = '';
  /** Bytes of the body, or of this chunk, that are still to come. */
  #left = 0;
  #mayStay = true;
  /** Behind a chunked body. */
  trailers: readonly string[] = [];
  /** `timeout` of the app's `Keep-Alive`, in seconds. */
  keepAliveSeconds: number | undefined;

  /** `headBytes` bounds a head, and trailers. */
  constructor(listener: AnswerListener, isToHead: boolean, headBytes: number) {
    this.#listener = listener;
    this.#isToHead = isToHead;
    this.#headBytes = headBytes;
  }

  /** The answer is whole. */
  get isOver(): boolean {
    return this.#mode === 'over';
  }

  /** Once it is over: another request may follow on the same connection. */
  get mayStay(): boolean {
    return this.#mayStay;
  }

  /**
   * What has arrived. @returns false: nothing more for now. @throws NotHttpError; what was told until then is true.
   */
  read(bytes: Buffer): boolean {
    let at = 0;
    let hasRoom = true;
    while (at < bytes.length) {
      switch (this.#mode) {
        case 'head':
          at = this.#readHead(bytes, at);
          break;
        case 'toClose':
          return this.#listener.onBody(at === 0 ? bytes : bytes.subarray(at)) && hasRoom;
        case 'sized':
        case 'chunk': {
          const end = Math.min(bytes.length, at + this.#left);
          this.#left -= end - at;
          if (this.#left === 0) this.#mode = this.#mode === 'sized' ? 'over' : 'chunkEnd';
          hasRoom = this.#listener.onBody(bytes.subarray(at, end)) && hasRoom;
          at = end;
          break;
        }
        case 'over':
          // Nobody asked for more: what this is, and whose, cannot be told.
          this.#mayStay = false;
          return hasRoom;
        default:
          at = this.#readLine(bytes, at);
      }
    }
    return hasRoom;
  }

  /** The app will send no more. @returns whether the answer is whole. */
  end(): boolean {
    this.#mayStay = false;
    if (this.#mode === 'toClose') this.#mode = 'over';
    return this.isOver;
  }

  /** @returns where what follows the head begins. */
  #readHead(bytes: Buffer, at: number): number {
    const end = this.#held === '' ? bytes.indexOf(HEAD_END, at) : -1;
    if (end !== -1) {
      if (end - at > this.#headBytes) throw new NotHttpError('the headers are too large');
      this.#onHead(bytes.toString('latin1', at, end + 2));
      return end + HEAD_END.length;
    }
    this.#held += bytes.toString('latin1', at);
    const text = this.#held;
    const headEnd = text.indexOf('\r\n\r\n');
    if ((headEnd === -1 ? text.length : headEnd) > this.#headBytes)
      throw new NotHttpError('the headers are too large');
    if (headEnd === -1) {
      const start = text.slice(0, START.length);
      if (start !== START.slice(0, start.length)) throw new NotHttpError('no status line');
      if (/(?:^|[^\r])\n/.test(text)) throw new NotHttpError('a line ends without CR');
      return bytes.length;
    }
    this.#held = '';
    this.#onHead(text.slice(0, headEnd + 2));
    return bytes.length - (text.length - headEnd - HEAD_END.length);
  }

  /** Status line and headers, each with its line end. */
  #onHead(text: string): void {
    const end = text.indexOf('\r\n');
    const minor = digitAt(text, START.length);
    const hundreds = digitAt(text, 9);
    const status = hundreds * 100 + digitAt(text, 10) * 10 + digitAt(text, 11);
    const message = text.slice(13, Math.max(13, end));
    const isGood =
      text.startsWith(START) &&
      (minor === 0 || minor === 1) &&
      text.charCodeAt(8) === 32 &&
      hundreds > 0 &&
      // Not a number when one of them is no digit.
      status >= 100 &&
      (end === 12 || (end > 12 && text.charCodeAt(12) === 32)) &&
      isHeaderValue(message);
    if (!isGood) throw new NotHttpError('no status line');
    const framing: Framing = {
      contentLength: undefined,
      transferEncoding: undefined,
      connection: undefined,
      keepAlive: undefined,
    };
    const headers = parseHeaders(text, end + 2, framing);
    if (status < 200) {
      if (status === 101) throw new NotHttpError('it switches protocols, which nobody asked for');
      // Whoever sends a whole request waits for no leave to do so.
      if (status !== 100) this.#listener.onInformation(status, headers);
      return;
    }
    this.#frame(status, minor, framing);
    this.#listener.onHead(status, message, headers);
  }

  /**
   * | answer                                   | body                   |
   * |------------------------------------------|------------------------|
   * | to HEAD, 204, 304                        | none                   |
   * | `transfer-encoding`, the last is chunked | chunks                 |
   * | another `transfer-encoding`              | until the app closes   |
   * | with a `content-length`                  | so many bytes          |
   * | neither                                  | until the app closes   |
   */
  #frame(status: number, minor: number, framing: Framing): void {
    const { contentLength, transferEncoding, connection, keepAlive } = framing;
    if (transferEncoding !== undefined && contentLength !== undefined)
      throw new NotHttpError('it has both Content-Length and Transfer-Encoding');
    this.#mayStay = minor === 1 ? !names(connection, CLOSE) : names(connection, KEEP_ALIVE);
    if (keepAlive !== undefined) {
      const seconds = /(?:^|[,\s])timeout\s*=\s*"?(\d+)/i.exec(keepAlive)?.[1];
      if (seconds !== undefined) this.keepAliveSeconds = Number(seconds);
    }
    if (this.#isToHead) this.#mode = 'over';
    else if (status === 204 || status === 304) {
      // The app may have sent one all the same, which would be taken for the next answer.
      if (transferEncoding !== undefined || (contentLength ?? 0) > 0) this.#mayStay = false;
      this.#mode = 'over';
    } else if (transferEncoding !== undefined) {
      this.#mode = /(?:^|,)[\t ]*chunked[\t ]*$/i.test(transferEncoding) ? 'chunkSize' : 'toClose';
    } else if (contentLength === undefined) this.#mode = 'toClose';
    else {
      this.#left = contentLength;
      this.#mode = contentLength === 0 ? 'over' : 'sized';
    }
  }

  /** A line between chunks, or of trailers. @returns where what follows it begins. */
  #readLine(bytes: Buffer, at: number): number {
    const isTrailer = this.#mode === 'trailers';
    const newline = bytes.indexOf(10, at);
    const end = newline === -1 ? bytes.length : newline + 1;
    this.#held += bytes.toString('latin1', at, end);
    if (this.#held.length > (isTrailer ? this.#headBytes : CHUNK_LINE_BYTES))
      throw new NotHttpError('the chunked body has too long a line');
    if (newline === -1) return end;
    if (isTrailer) {
      this.#onTrailer();
      return end;
    }
    const line = this.#held;
    this.#held = '';
    if (!line.endsWith('\r\n')) throw new NotHttpError('a line ends without CR');
    if (this.#mode === 'chunkEnd') {
      if (line !== '\r\n') throw new NotHttpError('a chunk is longer than it says');
      this.#mode = 'chunkSize';
      return end;
    }
    const text = line.slice(0, -2);
    const size = Number.parseInt(text, 16);
    if (!CHUNK_SIZE.test(text) || !isHeaderValue(text) || !Number.isSafeInteger(size))
      throw new NotHttpError('a chunk has no size');
    this.#left = size;
    this.#mode = size === 0 ? 'trailers' : 'chunk';
    return end;
  }

  /** A further line of the trailers is there; an empty one is their end. */
  #onTrailer(): void {
    const text = this.#held;
    if (!text.endsWith('\r\n')) throw new NotHttpError('a line ends without CR');
    if (text !== '\r\n' && !text.endsWith('\r\n\r\n')) return;
    this.#held = '';
    this.trailers = parseHeaders(text.slice(0, -2), 0, undefined);
    this.#mode = 'over';
  }
}

const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i;

function names(connection: string | undefined, token: RegExp): boolean {
  return connection !== undefined && token.test(connection);
}

/** Header lines from `at` on, each with its line end; what they say of framing goes to `framing`. */
function parseHeaders(text: string, from: number, framing: Framing | undefined): string[] {
  const headers: string[] = [];
  for (let at = from; at < text.length; ) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > end) throw new NotHttpError('a header has no colon');
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, end);
    if (!isHeaderName(name) || !isHeaderValue(value)) {
      throw new NotHttpError('a header has characters that do not belong there');
    }
    headers.push(name, value);
    if (framing !== undefined) note(framing, name, value);
    at = end + 2;
  }
  return headers;
}

/** Few names have one of these lengths: the others need not be spelled out. */
function note(framing: Framing, name: string, value: string): void {
  const { length } = name;
  if (length === 14 && name.toLowerCase() === 'content-length') {
    if (framing.contentLength !== undefined || !/^\d{1,15}$/.test(value))
      throw new NotHttpError('Content-Length is not one number');
    framing.contentLength = Number(value);
  } else if (length === 17 && name.toLowerCase() === 'transfer-encoding') {
    framing.transferEncoding = joined(framing.transferEncoding, value);
  } else if (length === 10) {
    const lower = name.toLowerCase();
    if (lower === 'connection') framing.connection = joined(framing.connection, value);
    else if (lower === 'keep-alive') framing.keepAlive = joined(framing.keepAlive, value);
  }
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}

/** Without the blanks around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** NaN when there is none. */
function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - 48;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
