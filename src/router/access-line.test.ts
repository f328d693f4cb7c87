/** Proves that the access log's own way of writing a line gives what the log's general way would. */
import { expect, test } from 'vitest';
import { accessFacts, accessLine } from './access-line.ts';
import type { AccessRecord } from './access-log.ts';

const RECORD: AccessRecord = {
  id: 'abc-1',
  at: 1_700_000_000_000,
  remoteAddress: '127.0.0.1',
  method: 'GET',
  host: 'shop.localhost',
  path: '/"quoted"\n\u2028<é>',
  traceId: undefined,
  deploymentId: 'shop-1',
  environment: 'production',
  instanceId: undefined,
  status: 429,
  error: 'QUEUE_FULL',
  start: undefined,
  waitMs: 0.04,
  bootMs: 0,
  portMs: 0,
  appMs: undefined,
  totalMs: 1.26,
  bytesIn: 0,
  bytesOut: 10,
  retries: 0,
  aborted: false,
};

/** With every field that a request may lack. */
const FULL: AccessRecord = {
  ...RECORD,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  method: 'M-"SEARCH\\',
  host: 'a"b.localhost',
  instanceId: 'shop-1.abcdef',
  error: undefined,
  start: 'thawed',
  appMs: 12.34,
  aborted: true,
};
const BARE: AccessRecord = { ...RECORD, deploymentId: undefined, environment: undefined };

test.each([RECORD, FULL, BARE])(
  'a line is one line of JSON with level, time, event and every fact, whatever the client sent: %#',
  (record) => {
    const now = 1_700_000_000_123.7;
    for (const at of [now, now, now + 1]) {
      const line = accessLine(record, at);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const general = { level: 30, time: new Date(at).toISOString(), event: 'request.served' };
      expect(line).toBe(`${JSON.stringify({ ...general, ...accessFacts(record) })}\n`);
    }
  },
);
