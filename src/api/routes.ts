/** What every resource of the API shares: the typed Fastify instance and the errors that any route may answer with. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { problemSchema } from './problem.ts';

export type Routes = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Declared on every route; the errors themselves are written in `problem.ts`. */
export const problems = {
  '4xx': {
    description: 'The request cannot be served as it is.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
  '5xx': {
    description: 'The server or its engine failed.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
} as const;

/** Server-sent events, whose data are described by `events`. */
export function eventStream<Schema extends z.ZodType>(description: string, events: Schema) {
  return { description, content: { 'text/event-stream': { schema: events } } };
}
