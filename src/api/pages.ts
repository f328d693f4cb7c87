/** The few pages for people on the platform hostnames: what this is, and what each error code means. */
import { BerthError, CATALOGUE, errorPagePath } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { explanationOf } from './explanation.ts';
import type { ApiNeeds } from './needs.ts';
import type { Routes } from './routes.ts';

/** Nothing is loaded from anywhere, and no script runs. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:42rem;margin:3rem auto;padding:0 1rem}code{font-family:ui-monospace,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere}h1{font-size:1.5rem;line-height:1.25}dt{font-weight:600;margin-top:.75rem}dd{margin:0}`;

export function addPages(routes: Routes, needs: ApiNeeds): void {
  const hidden = { config: { isOpen: true }, schema: { hide: true } } as const;

  routes.get('/', hidden, (_request, reply) =>
    reply.headers(pageHeaders).send(
      page(
        'Berth',
        `<p>Berth ${escape(needs.facts().version)} is running. Deploy a folder with <code>berth deploy</code>;
<code>berth ls</code> shows what is deployed.</p>
<ul><li><a href="/api/v1/openapi.json">The API</a></li><li><a href="/docs/errors">Error codes</a></li></ul>`,
      ),
    ),
  );

  routes.get('/docs/errors', hidden, (_request, reply) => {
    const items = Object.entries(CATALOGUE).map(
      ([code, { title }]) =>
        `<dt><a href="/docs/errors/${code}"><code>${code}</code></a></dt><dd>${escape(title)}</dd>`,
    );
    return reply.headers(pageHeaders).send(page('Error codes', `<dl>${items.join('\n')}</dl>`));
  });

  routes.get<{ Params: { code: string } }>(
    errorPagePath(':code' as ErrorCode),
    hidden,
    async (request, reply) => {
      const { code } = request.params;
      if (!isErrorCode(code))
        throw new BerthError('NOT_FOUND', { detail: 'There is no such error code.' });
      const { status, title, advice } = CATALOGUE[code];
      return reply.headers(pageHeaders).send(
        page(
          title,
          `<dl><dt>Code</dt><dd><code>${code}</code></dd><dt>HTTP status</dt><dd>${status}</dd>
<dt>What to do</dt><dd>${escape(advice)}</dd></dl>${await explanationOf(code, escape)}<p><a href="/docs/errors">All error codes</a></p>`,
        ),
      );
    },
  );
}

/** Of every page. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
} as const;

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CATALOGUE, code);
}

/** A whole page; `body` is HTML, `title` is text. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><h1>${escape(title)}</h1>${body}</body></html>
`;
}

/** Text as HTML, quotes too. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Backticks of the catalogue become code. */
function escape(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>');
}
