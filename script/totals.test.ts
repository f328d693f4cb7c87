/** The line about the tests counts everything that did not pass. */
import { expect, test } from 'vitest';
import { totalsLine, totalsOf, type VitestReport } from './totals.ts';

const good: VitestReport = {
  numPassedTests: 12,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{}] }],
};

test.each([
  ['all passed', good, 'tests: 12 passed, 0 failed'],
  ['one failed', { ...good, numFailedTests: 1 }, 'tests: 12 passed, 1 failed'],
  [
    'some were skipped or are still to be written',
    { ...good, numPendingTests: 1, numTodoTests: 1 },
    'tests: 12 passed, 0 failed, 2 skipped',
  ],
  [
    'a file could not be loaded',
    { ...good, testResults: [...good.testResults, { status: 'failed', assertionResults: [] }] },
    'tests: 12 passed, 1 failed',
  ],
  ['no file was found', { ...good, testResults: [] }, 'tests: 0 passed, 1 failed'],
  ['there is no report', undefined, 'tests: 0 passed, 1 failed'],
] as const)('when %s', (_, report, line) => {
  expect(totalsLine(totalsOf(report))).toBe(line);
});
