/** The progress of a deploy as server-sent events, from its start to its end. */
import { z } from 'zod';
import { openEventStream } from './event-stream.ts';
import { find } from './find.ts';
import type { ApiNeeds } from './needs.ts';
import { eventStream, problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { endEvent, lineEvent, nameParameters, stepEvent } from './schemas.ts';
import { toWireProgress } from './wire.ts';

export function addProgress(routes: Routes, needs: ApiNeeds): void {
  routes.get(
    '/deployments/:name/progress',
    {
      // Whoever may deploy may see how it goes.
      config: { verb: ['read', 'deploy'] },
      schema: {
        summary: 'Follow a deploy (server-sent events)',
        description:
          'Events `step`, `line` and, last, `end`. An event’s id is the number of lines so far: sent back as ' +
          '`Last-Event-ID`, those lines are left out; steps are told again.',
        params: nameParameters,
        response: {
          200: eventStream('Events of the deploy.', z.union([stepEvent, lineEvent, endEvent])),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { id } = await find(request, needs, request.params.name, 'newest');
      const known = lastEventId(request.headers['last-event-id']);
      const stream = openEventStream(reply, needs.clock, needs.closing);
      let lines = 0;
      try {
        await needs.deployer.follow(
          id,
          (event) => {
            if (event.kind === 'line') {
              lines += 1;
              if (lines <= known) return;
            }
            // Steps that are told again are no further than what the client knows.
            const place = String(Math.max(lines, known));
            stream.send(event.kind, toWireProgress(event, needs.urlOf), place);
          },
          stream.signal,
        );
      } catch (error) {
        // The answer has begun: all that is left is to end it; a client that comes back for nothing new gives up in the end.
        needs.reporter.report('warn', 'progress.broken', { id, error: String(error) });
      } finally {
        stream.end();
      }
    },
  );
}

/** 0 when there is none, or none of ours. */
function lastEventId(header: string | string[] | undefined): number {
  const lines = Number(header ?? 0);
  return Number.isSafeInteger(lines) && lines > 0 ? lines : 0;
}
