/** Where the server's log goes: lines on stdout, or whoever wants to hear them. */
import { pino } from 'pino';
import type { Reporter } from '../ports/reporter.ts';
import { accessFacts, accessLine } from '../router/access-line.ts';
import type { AccessRecord } from '../router/access-log.ts';
import { systemClock as clock } from '../system/clock.ts';
import { openLineWriter } from '../system/line-writer.ts';

export interface Log {
  readonly reporter: Reporter;
  /** A line of the access log. */
  served(record: AccessRecord): void;
}

/** JSON lines on stdout, written in batches so that no request waits for the disk. */
export function logTo(opened: AsyncDisposableStack): Log {
  const destination = openLineWriter(1, clock, (batches) => {
    const time = new Date(clock.now()).toISOString();
    return `${JSON.stringify({ level: 40, time, event: 'log.lost', batches })}\n`;
  });
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  opened.defer(() => destination.close());
  return {
    reporter: { report: (level, event, facts) => log[level]({ event, ...facts }) },
    served: (record) => destination.write(accessLine(record, clock.now())),
  };
}

/** To a reporter of the caller's own. */
export function reportedTo(reporter: Reporter): Log {
  return {
    reporter,
    served: (record) => reporter.report('info', 'request.served', accessFacts(record)),
  };
}
