/** Header rules of a proxy: what belongs to one connection stays there, and who really asked is written down. */
import type { IncomingMessage } from 'node:http';

/** Belong to one connection (RFC 9110 7.6.1), or are written anew by whoever sends the message on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
/** Written by the router itself on the way to the app. `content-length` and `expect` belong to the sender. */
const REWRITTEN_REQUEST = new Set([
  'content-length',
  'expect',
  'forwarded',
  'trailer',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);
/** The connection-specific tokens that name no further header. */
const PLAIN_CONNECTION = /^(?:keep-alive|close|upgrade|te|,|\s)*$/i;
/** Never removed because `Connection` names it: without it the request would mean something else. */
const HOST = 'host';
const CONTENT_LENGTH: ReadonlySet<string> = new Set(['content-length']);

/** What the router knows of the request beyond its headers. */
export interface RequestFacts {
  /** The id of this request: `x-berth-id`. */
  readonly id: string;
  readonly host: string;
  readonly proto: 'http' | 'https';
  readonly remoteAddress: string;
}

/** Headers as Node and undici take them: name, value, name, value, … */
export type RawHeaders = string[];

/**
 * The headers for the app: end-to-end ones as sent and in their order, then the ones that say who asked.
 * Framing (`content-length`, `transfer-encoding`, `connection`, `expect`) is left to whoever sends them.
 */
export function requestHeaders(req: IncomingMessage, facts: RequestFacts): RawHeaders {
  const raw = req.rawHeaders;
  const named = namedByConnection(req.headers.connection);
  const headers: RawHeaders = [];
  let forwardedFor = '';
  let forwarded = '';
  let hasRequestId = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'x-forwarded-for') forwardedFor += `${value}, `;
    else if (lower === 'forwarded') forwarded += `${value}, `;
    else if (HOP_BY_HOP.has(lower) || REWRITTEN_REQUEST.has(lower)) continue;
    else if (lower.startsWith('x-berth-')) continue;
    else if (named !== undefined && lower !== HOST && named.has(lower)) continue;
    else {
      hasRequestId ||= lower === 'x-request-id';
      headers.push(name, value);
    }
  }
  const address = plainAddress(facts.remoteAddress);
  headers.push(
    'x-forwarded-for',
    forwardedFor + address,
    'x-forwarded-proto',
    facts.proto,
    'x-forwarded-host',
    facts.host,
    'forwarded',
    `${forwarded}for=${forwardedNode(address)};host="${facts.host}";proto=${facts.proto}`,
    'x-berth-id',
    facts.id,
  );
  if (!hasRequestId) headers.push('x-request-id', facts.id);
  // Hop by hop, and true of this hop: trailers are passed on.
  const { te } = req.headers;
  if (typeof te === 'string' && /\btrailers\b/i.test(te)) {
    headers.push('te', 'trailers');
  }
  return headers;
}

/** The headers of an app's answer that go on to the client. `Trailer` goes on only where trailers can. */
export function responseHeaders(raw: readonly (string | Buffer)[], trailers: boolean): RawHeaders {
  const headers: RawHeaders = [];
  let connection: string | undefined;
  let chunked = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i]);
    const lower = name.toLowerCase();
    if (lower === 'connection') connection = `${connection ?? ''},${text(raw[i + 1])}`;
    if (lower === 'transfer-encoding') chunked = true;
    if (HOP_BY_HOP.has(lower) || lower.startsWith('x-berth-')) continue;
    if (lower === 'trailer' && !trailers) continue;
    headers.push(name, text(raw[i + 1]));
  }
  // RFC 9112 6.3: with both, the length is not to be believed, nor passed on.
  const kept = chunked ? without(headers, CONTENT_LENGTH) : headers;
  const named = namedByConnection(connection);
  return named === undefined ? kept : without(kept, named);
}

/** Undefined when `Connection` names no header of its own, which is nearly always. */
function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || PLAIN_CONNECTION.test(connection)) return undefined;
  return new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
}

function without(headers: RawHeaders, named: ReadonlySet<string>): RawHeaders {
  const kept: RawHeaders = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!named.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

/** Header bytes are Latin-1 on the wire, whatever they mean. */
function text(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}

/** An IPv4 address that came through a dual-stack socket, without its IPv6 clothes. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** RFC 7239: IPv6 addresses are bracketed and quoted. */
function forwardedNode(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}
