/** Named failures as small clean pages: HTML for browsers, an RFC 9457 problem for everything else. */
import { type BerthError, errorPagePath } from '../core/errors.ts';

export interface ErrorPageFacts {
  /** The id of the request that failed. */
  readonly id: string;
  readonly method: string;
  /** The request's `Accept` header. */
  readonly accept: string | undefined;
  /** Where the platform answers, for the link: `http://berth.localhost:8080`. */
  readonly platformOrigin: string;
  readonly version: string;
  /** The catalogue's, or a more exact one where HTTP has it (408, 414, 431). */
  readonly status: number;
}

export interface ErrorPage {
  readonly status: number;
  /** Names in lower case; `content-length` included. */
  readonly headers: Record<string, string>;
  /** Empty for HEAD. */
  readonly body: string;
}

/** Seconds, for failures that pass by themselves but do not say when. */
const RETRY_AFTER_SECONDS = 1;

/** The page for `error`. The last log lines that an error may carry are for its owner and are never shown here. */
export function errorPage(error: BerthError, facts: ErrorPageFacts): ErrorPage {
  const { status } = facts;
  const isHtml = facts.accept?.includes('text/html') ?? false;
  const link = facts.platformOrigin + errorPagePath(error.code);
  const body = isHtml ? htmlPage(error, facts, link) : problemText(error, facts, link);
  const headers: Record<string, string> = {
    'content-type': isHtml ? 'text/html; charset=utf-8' : 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    vary: 'accept',
    'x-content-type-options': 'nosniff',
    'x-berth-error': error.code,
  };
  if (isHtml) {
    headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'";
  }
  const retryAfter =
    error.retryAfterSeconds ?? (status === 429 || status === 503 ? RETRY_AFTER_SECONDS : undefined);
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(0, Math.ceil(retryAfter)));
  return { status, headers, body: facts.method === 'HEAD' ? '' : body };
}

/** The latest problem without its id: too many requests at once get the same one, and it has to cost less than serving them. */
let latest:
  | {
      readonly error: BerthError;
      readonly link: string;
      readonly status: number;
      readonly text: string;
    }
  | undefined;

function problemText(error: BerthError, { status, id }: ErrorPageFacts, link: string): string {
  if (latest?.error !== error || latest.link !== link || latest.status !== status) {
    const { title, detail, code, advice } = error;
    const problem = JSON.stringify({ type: link, title, status, detail, code, advice });
    latest = { error, link, status, text: problem.slice(0, -1) };
  }
  return `${latest.text},"id":${JSON.stringify(id)}}\n`;
}

function htmlPage(error: BerthError, facts: ErrorPageFacts, link: string): string {
  const detail = error.detail === error.title ? '' : `<p>${prose(error.detail)}</p>\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${facts.status} ${escape(error.title)}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 36rem; margin: 18vh auto 2rem; padding: 0 1.5rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 1rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
code { font: 0.9em ui-monospace, monospace; }
.quiet { opacity: 0.65; font-size: 0.875rem; }
a { color: inherit; }
</style>
<main>
<p class="quiet">${facts.status} · <code>${error.code}</code></p>
<h1>${escape(error.title)}</h1>
${detail}<p>${prose(error.advice)}</p>
<p><a href="${escape(link)}">About ${error.code}</a></p>
<p class="quiet">Berth ${escape(facts.version)} · request <code>${escape(facts.id)}</code></p>
</main>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What stands between backticks is code. */
function prose(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
