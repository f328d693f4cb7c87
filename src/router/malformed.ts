/** Requests that cannot be understood: found by the parser, or before a route is looked for. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { BerthError } from '../core/errors.ts';
import { type HostAndPort, parseHost } from '../core/route.ts';
import { codeOf } from './attempt.ts';
import { errorPage } from './error-page.ts';
import { type InboundRequest, isHttp10 } from './inbound.ts';
import type { RouterLimits } from './limits.ts';

/** A request whose form is good. */
export interface WellFormed {
  readonly kind: 'wellFormed';
  /** As sent. */
  readonly host: string;
  readonly parsed: HostAndPort;
  /** Origin form, or `*`. */
  readonly path: string;
}

/** `status` is 400 or what HTTP has for just this. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly status: number;
  readonly detail: string;
}

/** What Node's strict parser lets through and yet could be read in two ways, or is too much. */
export function checkForm(req: InboundRequest, limits: RouterLimits): WellFormed | Malformed {
  const raw = req.rawHeaders;
  if (raw.length > limits.headerCount * 2) {
    return malformed(431, `There are more than ${limits.headerCount} headers.`);
  }
  // The parser of HTTP/1.1 counts by itself. Node holds clients of HTTP/2 to it only when they have said that they know.
  if (req.httpVersionMajor === 2 && lengthOf(raw) > limits.headerBytes) {
    return malformed(431, 'The headers are too large.');
  }
  // The parser takes `GET /` alone as HTTP/0.9, and 2.0 in the clothes of 1.1. Real streams of HTTP/2 say themselves whether they have a body.
  if (req.hasBody === undefined && req.httpVersionMajor !== 1) {
    return malformed(400, 'It is neither HTTP/1.0 nor HTTP/1.1.');
  }
  const url = req.url ?? '';
  if (url.length > limits.urlBytes) {
    return malformed(414, `The path is longer than ${limits.urlBytes} bytes.`);
  }
  // The parser finds out only when it comes to the body, and takes `gzip, chunked`, of which only the chunks would be undone.
  const encoding = req.headers['transfer-encoding'];
  if (encoding !== undefined && (isHttp10(req) || encoding.toLowerCase() !== 'chunked')) {
    return malformed(400, 'The only Transfer-Encoding there is here is chunked, in HTTP/1.1.');
  }
  const host = onlyHost(raw);
  if (host === undefined) return malformed(400, 'Exactly one Host header is needed.');
  const parsed = parseHost(host);
  if (parsed === undefined) return malformed(400, 'The Host header is not a hostname.');
  const path = originForm(url, host, req.method);
  if (path === undefined) return malformed(400, 'The request target does not fit its Host header.');
  return { kind: 'wellFormed', host, parsed, path };
}

function lengthOf(raw: readonly string[]): number {
  let length = 0;
  for (const text of raw) length += text.length;
  return length;
}

/** Undefined when there is none, or more than one. */
function onlyHost(raw: readonly string[]): string | undefined {
  let host: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return undefined;
    host = raw[i + 1];
  }
  return host;
}

/** The path of an absolute target (`GET http://host/path`), when it names the same host; other forms are refused. */
function originForm(url: string, host: string, method: string | undefined): string | undefined {
  if (url.startsWith('/')) return url;
  if (url === '*') return method === 'OPTIONS' ? url : undefined;
  const match = /^https?:\/\/([^/?#]+)([^#]*)$/i.exec(url);
  if (match?.[1]?.toLowerCase() !== host.toLowerCase()) return undefined;
  const rest = match[2] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function malformed(status: number, detail: string): Malformed {
  return { kind: 'malformed', status, detail };
}

const PARSER_FINDINGS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large.'],
  HPE_INVALID_METHOD: [400, 'It does not begin with a method of HTTP that is known here.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The headers did not arrive in time.'],
};

/** Answers what the parser refused, on the bare socket: there is no request to answer through. */
export function refuseMalformed(
  error: Error,
  socket: Socket & { readonly _httpMessage?: { readonly headersSent: boolean } | null },
  facts: { readonly id: string; readonly platformOrigin: string; readonly version: string },
): void {
  const code = codeOf(error);
  // An answer that is under way would be garbled by a second one; who has reset the connection reads nothing.
  if (!socket.writable || code === 'ECONNRESET' || socket._httpMessage?.headersSent === true) {
    // What was written of an answer waits for the end of this turn: it is not to be taken away.
    process.nextTick(() => socket.destroy());
    return;
  }
  const [status, detail] = PARSER_FINDINGS[code] ?? [400, 'It is not valid HTTP/1.1.'];
  const page = errorPage(new BerthError('BAD_REQUEST', { detail }), {
    ...facts,
    method: 'GET',
    accept: undefined,
    status,
  });
  let answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\nx-berth-id: ${facts.id}\r\n`;
  for (const [name, value] of Object.entries(page.headers)) answer += `${name}: ${value}\r\n`;
  socket.end(`${answer}\r\n${page.body}`, () => socket.destroy());
}
