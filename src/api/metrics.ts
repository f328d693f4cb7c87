/** `GET /metrics`: the figures of the server for Prometheus. */
import { z } from 'zod';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';

/** At the root, where Prometheus looks by itself. The token is its `authorization.credentials`. */
export function addMetrics(routes: Routes, needs: ApiNeeds): void {
  const text = {
    description: 'Prometheus text',
    content: { 'text/plain': { schema: z.string() } },
  };
  routes.get(
    '/metrics',
    {
      config: { isOpen: needs.areMetricsOpen, verb: 'metrics' },
      schema: { summary: 'Figures for Prometheus', response: { 200: text, ...problems } },
    },
    async (_request, reply) =>
      reply.type(needs.metrics.contentType).send(await needs.metrics.scrape()),
  );
}
