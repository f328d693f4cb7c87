/** Header rules of a proxy: what belongs to one connection stays there, and who really asked is written down. */
import { BUSY_HEADER } from '../core/busy.ts';
import type { InboundRequest } from './inbound.ts';

/** What is done with a header other than to pass it on. */
type Rule =
  | 'hop'
  | 'ours'
  | 'forwarded'
  | 'x-forwarded-for'
  | 'x-forwarded-host'
  | 'x-forwarded-proto'
  | 'x-request-id'
  | 'host';

/** One look-up per header, on the way of every request. */
const REQUEST_RULES: ReadonlyMap<string, Rule> = new Map([
  // Belong to one connection (RFC 9110 7.6.1).
  ['connection', 'hop'],
  ['keep-alive', 'hop'],
  ['proxy-authenticate', 'hop'],
  ['proxy-authorization', 'hop'],
  ['proxy-connection', 'hop'],
  ['te', 'hop'],
  ['transfer-encoding', 'hop'],
  ['upgrade', 'hop'],
  ['http2-settings', 'hop'],
  // Written anew by whoever sends the message on: the framing, and what only the router knows.
  ['content-length', 'ours'],
  ['expect', 'ours'],
  ['trailer', 'ours'],
  // Kept or added to when a trusted proxy says it, and never removed because `Connection` names it.
  ['x-forwarded-host', 'x-forwarded-host'],
  ['x-forwarded-proto', 'x-forwarded-proto'],
  ['forwarded', 'forwarded'],
  ['x-forwarded-for', 'x-forwarded-for'],
  ['x-request-id', 'x-request-id'],
  ['host', 'host'],
]);

const RESPONSE_RULES: ReadonlyMap<string, string> = new Map([
  ['connection', 'connection'],
  ['keep-alive', 'hop'],
  ['proxy-authenticate', 'hop'],
  ['proxy-connection', 'hop'],
  ['transfer-encoding', 'transfer-encoding'],
  ['upgrade', 'hop'],
  ['content-length', 'content-length'],
  ['trailer', 'trailer'],
]);
/** The connection-specific tokens that name no further header. */
const PLAIN_CONNECTION = /^(?:keep-alive|close|upgrade|te|,|\s)*$/i;

/** What the router knows of the request beyond its headers. */
export interface RequestFacts {
  /** The id of this request: `x-berth-id`. */
  readonly id: string;
  readonly host: string;
  readonly proto: 'http' | 'https';
  readonly remoteAddress: string;
  /** It comes from a proxy whose word on who asked is believed; what anybody else says of that is replaced. */
  readonly isTrusted: boolean;
}

/** Headers as Node and undici take them: name, value, name, value, … */
export type RawHeaders = string[];

/**
 * The headers for the app: end-to-end ones as sent and in their order, then the ones that say who asked.
 * Framing (`content-length`, `transfer-encoding`, `connection`, `expect`) is left to whoever sends them.
 */
export function requestHeaders(req: InboundRequest, facts: RequestFacts): RawHeaders {
  const raw = req.rawHeaders;
  const named = namedByConnection(req.headers.connection);
  const headers: RawHeaders = [];
  const { isTrusted } = facts;
  let { host, proto }: { host: string; proto: string } = facts;
  let forwardedFor = '';
  let forwarded = '';
  let hasRequestId = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const lower = name.toLowerCase();
    const rule = REQUEST_RULES.get(lower);
    if (rule === 'hop' || rule === 'ours') continue;
    if (rule !== undefined && rule !== 'host') {
      if (!isTrusted) continue;
      if (rule === 'x-forwarded-for') forwardedFor += `${value}, `;
      else if (rule === 'forwarded') forwarded += `${value}, `;
      else if (rule === 'x-forwarded-host') host = value;
      else if (rule === 'x-forwarded-proto') proto = value;
      else {
        hasRequestId = true;
        headers.push(name, value);
      }
      continue;
    }
    if (rule === undefined && (isPlatforms(lower) || (!isTrusted && isOfProxies(lower)))) continue;
    if (named.length > 0 && rule !== 'host' && named.includes(lower)) continue;
    headers.push(name, value);
  }
  const address = plainAddress(facts.remoteAddress);
  headers.push(
    'x-forwarded-for',
    forwardedFor + address,
    'x-forwarded-proto',
    proto,
    'x-forwarded-host',
    host,
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

/** An app's answer, as far as its head tells. */
export interface ResponseHeaders {
  /** Those that go on to the client. */
  readonly headers: RawHeaders;
  /** Undefined when the body is chunked or ends with its connection. */
  readonly contentLength: number | undefined;
  /** What the app says about being busy: meant for the platform alone. */
  readonly busy: string | undefined;
}

/** What goes on to the client. `Trailer` goes on only where trailers can. */
export function responseHeaders(
  raw: readonly (string | Buffer)[],
  mayHaveTrailers: boolean,
): ResponseHeaders {
  const headers: RawHeaders = [];
  const dropped: string[] = [];
  let contentLength: number | undefined;
  let isChunked = false;
  let hasTrailer = false;
  let busy: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i]);
    const value = text(raw[i + 1]);
    const lower = name.toLowerCase();
    const rule = RESPONSE_RULES.get(lower);
    if (rule === undefined && isPlatforms(lower)) {
      if (lower === BUSY_HEADER) busy = value;
      continue;
    }
    if (rule === 'connection') dropped.push(...namedByConnection(value));
    else if (rule === 'transfer-encoding') isChunked = true;
    else if (rule === 'content-length') contentLength = Number(value);
    else if (rule === 'trailer') hasTrailer = true;
    if (rule === undefined || rule === 'content-length' || rule === 'trailer') {
      headers.push(name, value);
    }
  }
  // RFC 9112 6.3: with both, the length is not to be believed, nor passed on.
  if (isChunked && contentLength !== undefined) dropped.push('content-length');
  if (hasTrailer && !(isChunked && mayHaveTrailers)) dropped.push('trailer');
  return {
    headers: dropped.length === 0 ? headers : without(headers, dropped),
    contentLength: isChunked ? undefined : contentLength,
    busy,
  };
}

/** Names what only the platform may say of itself. */
function isPlatforms(lower: string): boolean {
  return lower.startsWith('x-berth-');
}

/** Names what only those before a server may say: `x-forwarded-port`, `x-forwarded-prefix`, `x-real-ip`. */
function isOfProxies(lower: string): boolean {
  return lower.startsWith('x-forwarded-') || lower === 'x-real-ip';
}

/** The headers that `Connection` names as its own: nearly always none. */
function namedByConnection(connection: string | undefined): readonly string[] {
  if (connection === undefined || PLAIN_CONNECTION.test(connection)) return [];
  return connection.split(',').map((token) => token.trim().toLowerCase());
}

function without(headers: RawHeaders, names: readonly string[]): RawHeaders {
  const kept: RawHeaders = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!names.includes(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
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
