/** Who asks: the name that releases, deployments and the audit log are written under. */
import type { FastifyRequest } from 'fastify';

/** Name of the token that the request carries; `local` for the one of the data folder. */
export function actorOf(_request: FastifyRequest): string {
  return 'local';
}
