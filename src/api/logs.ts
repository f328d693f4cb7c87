/** What the instances of a deployment wrote: a list, or server-sent events. */
import { openEventStream } from './event-stream.ts';
import { find } from './find.ts';
import type { LogLine, LogQuery } from '../ports/logs.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { logLine, logsQuery, nameParameters } from './schemas.ts';
import { toWireLogLine } from './wire.ts';

export function addLogs(routes: Routes, needs: ApiNeeds): void {
  routes.get(
    '/deployments/:name/logs',
    {
      config: { verb: 'read' },
      schema: {
        summary: 'Logs of a deployment',
        description:
          'With `follow=true`: server-sent events `line`. An event’s id sent back as `Last-Event-ID` goes on after it.',
        params: nameParameters,
        querystring: logsQuery,
        response: {
          200: {
            description: 'Lines in order of time.',
            content: {
              'application/json': { schema: logLine.array() },
              'text/event-stream': { schema: logLine },
            },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { id } = await find(request, needs, request.params.name, 'newest');
      const { tail, since, instance, follow } = request.query;
      const query: LogQuery = {
        ...(tail === undefined ? {} : { tail }),
        ...(since === undefined ? {} : { since: Date.parse(since) }),
        ...(instance === undefined ? {} : { instanceId: instance }),
      };
      if (follow !== true) return (await needs.logs.read(id, query)).map(toWireLogLine);

      const resume = parsePlace(request.headers['last-event-id']);
      const place = createPlace();
      const stream = openEventStream(reply, needs.clock, needs.closing);
      const { tail: _, ...rest } = query;
      try {
        await needs.logs.follow(
          id,
          resume ? { ...rest, since: resume.at } : query,
          (line) => {
            const here = place(line);
            if (resume && here.at === resume.at && here.count <= resume.count) return;
            stream.send('line', toWireLogLine(line), `${here.at}-${here.count}`);
          },
          stream.signal,
        );
      } catch (error) {
        needs.reporter.report('warn', 'logs.broken', { id, error: String(error) });
      } finally {
        stream.end();
      }
    },
  );
}

/** Where a line stands: its time, and how many lines of that time came so far. */
interface Place {
  readonly at: number;
  readonly count: number;
}

function createPlace(): (line: LogLine) => Place {
  let last: Place = { at: Number.NEGATIVE_INFINITY, count: 0 };
  return ({ at }) => {
    last = { at, count: at === last.at ? last.count + 1 : 1 };
    return last;
  };
}

function parsePlace(header: string | string[] | undefined): Place | undefined {
  const match = /^(\d+(?:\.\d+)?)-(\d+)$/.exec(String(header ?? ''));
  return match ? { at: Number(match[1]), count: Number(match[2]) } : undefined;
}
