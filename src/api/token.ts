/** Who may use the API: whoever can read the token file of the data folder. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { BerthError } from '../core/errors.ts';

/** Marks a route that answers without a token. */
declare module 'fastify' {
  interface FastifyContextConfig {
    readonly isOpen?: boolean;
  }
}

/** Refuses every request to a route that is not open unless it carries the token. Before its body is read. */
export function requireToken(app: FastifyInstance, token: string): void {
  const wanted = digest(token);
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.isOpen === true) return;
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests have one length, so the comparison takes the same time whatever was given.
    if (given === undefined || !timingSafeEqual(digest(given), wanted)) {
      throw new BerthError('UNAUTHORIZED', {
        detail:
          given === undefined ? 'No token was given.' : 'The token is not the one of this server.',
      });
    }
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
