/** Where a login link leads in a browser: what to do with it, and the token for whoever wants it here. */
import { z } from 'zod';
import { BerthError } from '../core/errors.ts';
import type { ApiNeeds } from './needs.ts';
import { escapeHtml, page, pageHeaders } from './pages.ts';
import type { Routes } from './routes.ts';
import { auditLogin } from './tokens.ts';

/** The code is in the address: it must not leave by it, and the page must not be kept. */
const headers = { ...pageHeaders, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

const form = z.object({ code: z.string().max(200) });

/** Looking at a link does not use it up: programs that preview links look, too. The button does. */
export function addLoginPage(routes: Routes, { access }: ApiNeeds): void {
  void routes.register((scope: Routes, _options, done) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 4096 },
      (_request, body, parsed) =>
        parsed(null, Object.fromEntries(new URLSearchParams(body.toString()))),
    );

    scope.get(
      '/login',
      {
        config: { isOpen: true },
        schema: { hide: true, querystring: z.object({ code: z.string().max(200).optional() }) },
      },
      (request, reply) => {
        const { code } = request.query;
        if (code === undefined) {
          return reply
            .headers(headers)
            .send(
              page(
                'Log in to Berth',
                '<p>Ask an owner of your team for a login link: <code>berth teams invite NAME</code>. On the machine of the server nobody has to log in.</p>',
              ),
            );
        }
        const command = `berth login '${origin(request)}/login?code=${encodeURIComponent(code)}'`;
        return reply.headers(headers).send(
          page(
            'Log in to Berth',
            `<p>This link works once. On the computer that you deploy from, run</p>
<pre><code>${escapeHtml(command)}</code></pre>
<p>or have the token shown here, to put it where you need it:</p>
<form method="post" action="/login"><input type="hidden" name="code" value="${escapeHtml(code)}">
<button>Show my token</button></form>`,
          ),
        );
      },
    );

    scope.post(
      '/login',
      { config: { isOpen: true, action: 'member.joined' }, schema: { hide: true, body: form } },
      async (request, reply) => {
        try {
          const made = await access.redeem(request.body.code);
          auditLogin(request, made.token);
          return await reply.headers(headers).send(
            page(
              `Welcome, ${made.token.name}`,
              `<p>This is your token. It is not shown again.</p>
<pre><code>${escapeHtml(made.value)}</code></pre>
<p>On the computer that you deploy from, run this and paste the token when it is asked for:</p>
<pre><code>${escapeHtml(`berth login ${origin(request)}`)}</code></pre>`,
            ),
          );
        } catch (error) {
          if (!(error instanceof BerthError) || error.code !== 'LOGIN_INVALID') throw error;
          return reply
            .code(error.status)
            .headers(headers)
            .send(
              page(
                error.title,
                `<p>${escapeHtml(error.advice)}</p><p><a href="/docs/errors/${error.code}">More about this</a></p>`,
              ),
            );
        }
      },
    );
    done();
  });
}

function origin({ protocol, host }: { readonly protocol: string; readonly host: string }): string {
  return `${protocol}://${host}`;
}
