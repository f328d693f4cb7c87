/** Who gets to see what: terminals, pipes, JSON, colour; and the lines of a deploy and of a failure. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Deployment, ProgressEvent } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { createOutput, type Output } from './output.ts';
import { showProgress } from './progress.ts';
import { report } from './report.ts';

/** Time that passes by being told to; a sleep ends when its time has come. */
class ToldClock implements Clock {
  #now = 0;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  now = () => this.#now;
  sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#now);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#now);
    for (const sleeper of due) sleeper.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Setting {
  readonly output: Output;
  readonly clock: ToldClock;
  readonly written: { out: string; err: string };
}

function setting(
  how: { out?: boolean; err?: boolean; json?: boolean; env?: Record<string, string> } = {},
): Setting {
  const clock = new ToldClock();
  const written = { out: '', err: '' };
  const output = createOutput(
    {
      stdout: { write: (text) => (written.out += text), isTTY: how.out ?? false, columns: 80 },
      stderr: { write: (text) => (written.err += text), isTTY: how.err ?? false, columns: 40 },
      env: how.env ?? {},
      clock,
    },
    how.json ?? false,
  );
  return { output, clock, written };
}

describe('a step', () => {
  it('is one plain line with its time when nobody watches', async () => {
    const { output, clock, written } = setting();
    const step = output.step('Building');
    await clock.pass(4_200);
    step.done('Built');
    expect(written).toEqual({ out: '', err: '✓ Built  4.2 s\n' });
  });

  it('moves on a terminal, fits its width, and leaves one line', async () => {
    const { output, clock, written } = setting({ err: true });
    const step = output.step('Building something with a name that is much too long');
    await clock.pass(80);
    await clock.pass(80);
    expect(written.err.match(/[⠋⠙⠹⠸⠼]/g)?.length).toBe(2);
    for (const line of stripVTControlCharacters(written.err).split('\r')) {
      expect([...line].length).toBeLessThan(40);
    }
    step.done('Built');
    expect(stripVTControlCharacters(written.err).split('\r').at(-1)).toBe('✓ Built  160 ms\n');
    const before = written.err;
    await clock.pass(1_000);
    expect(written.err).toBe(before);
  });

  it('gives way to lines above it', async () => {
    const { output, clock, written } = setting({ err: true });
    output.step('Building');
    await clock.pass(80);
    output.quote('STEP 1/2: FROM scratch');
    output.close();
    const lines = stripVTControlCharacters(written.err).split('\r');
    expect(lines).toContainEqual('  STEP 1/2: FROM scratch\n');
  });

  it.each([
    ['NO_COLOR is set', { NO_COLOR: '1' }],
    ['the terminal is dumb', { TERM: 'dumb' }],
  ])('neither moves nor has colour when %s', async (_name, env) => {
    const { output, clock, written } = setting({ err: true, out: true, env });
    const step = output.step('Building');
    await clock.pass(500);
    step.done('Built');
    expect(written.err).toBe('✓ Built  500 ms\n');
    expect(output.style('red', 'x') + output.noteStyle('red', 'x')).toBe('xx');
  });

  it('is not told with --json unless somebody watches', () => {
    const quiet = setting({ json: true });
    quiet.output.step('Building').done('Built');
    quiet.output.note('by the way');
    quiet.output.quote('a line');
    quiet.output.json([{ a: 1 }]);
    expect(quiet.written.err).toBe('');
    expect(JSON.parse(quiet.written.out)).toEqual([{ a: 1 }]);
    const watched = setting({ json: true, err: true });
    watched.output.step('Building').done('Built');
    expect(watched.written.err).toContain('Built');
  });
});

it('what others print cannot move the cursor', () => {
  const { output, written } = setting();
  output.quote('\u001B[2J\u001B[31mred\u001B[0m');
  expect(written.err).toBe('  red\n');
});

const deployment = { id: 'a-1', state: 'ready' } as unknown as Deployment;
const failed = {
  ...deployment,
  state: 'failed' as const,
  failure: { code: 'BUILD_FAILED', detail: 'RUN false: exit code 1' },
};

async function* from(events: readonly ProgressEvent[]): AsyncGenerator<ProgressEvent, void> {
  for (const event of events) yield await Promise.resolve(event);
}

describe('the progress of a deploy', () => {
  it('has a line for each step that takes time, and what the build prints', async () => {
    const { output, written } = setting();
    const events: ProgressEvent[] = [
      { kind: 'step', name: 'queue', state: 'running', detail: '1 build before this one' },
      { kind: 'step', name: 'queue', state: 'done', elapsedMs: 1_500 },
      { kind: 'step', name: 'files', state: 'done', elapsedMs: 3, detail: '2 files' },
      { kind: 'step', name: 'build', state: 'running' },
      { kind: 'line', text: 'STEP 1/1: FROM scratch' },
      { kind: 'step', name: 'build', state: 'done', elapsedMs: 2_000 },
      { kind: 'step', name: 'image', state: 'done', detail: '12 MiB' },
      { kind: 'step', name: 'boot', state: 'running' },
      { kind: 'step', name: 'boot', state: 'done', elapsedMs: 40, detail: 'listens on port 80' },
      { kind: 'end', deployment },
    ];
    expect(await showProgress(output, from(events))).toBe(deployment);
    expect(written.err.split('\n')).toEqual([
      '✓ Waited for a turn  1.5 s',
      '  STEP 1/1: FROM scratch',
      '✓ Built  2.0 s',
      '✓ Verified: listens on port 80, image of 12 MiB  40 ms',
      '',
    ]);
  });

  const failing: ProgressEvent[] = [
    { kind: 'step', name: 'build', state: 'running' },
    { kind: 'line', text: 'sh: 1: nope: not found' },
    { kind: 'step', name: 'build', state: 'failed', elapsedMs: 100 },
    { kind: 'end', deployment: failed },
  ];

  it('ends with the code of what failed; the lines were shown already', async () => {
    const { output } = setting();
    await expect(showProgress(output, from(failing))).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      detail: 'RUN false: exit code 1',
      log: [],
    });
  });

  it('brings the last lines along in JSON, where they were not', async () => {
    const { output } = setting({ json: true });
    await expect(showProgress(output, from(failing))).rejects.toMatchObject({
      log: ['sh: 1: nope: not found'],
    });
  });

  it('that stops without an end is an interrupted deploy', async () => {
    const { output } = setting();
    await expect(showProgress(output, from(failing.slice(0, 2)))).rejects.toMatchObject({
      code: 'DEPLOY_INTERRUPTED',
    });
  });
});

describe('a failure', () => {
  it('says code, what happened, what to do and where to read on', () => {
    const { output } = setting();
    const error = new BerthError('NO_PORT', {
      detail: 'It listens on 127.0.0.1:3000 only.',
      log: ['up'],
    });
    expect(report(error, output, 'http://127.0.0.1:8080')).toEqual([
      '  │ up',
      'error NO_PORT: The app does not listen on a reachable port: It listens on 127.0.0.1:3000 only.',
      '  Listen on 0.0.0.0 (or ::) and the port in PORT, or on any other port.',
      '  http://127.0.0.1:8080/docs/errors/NO_PORT',
    ]);
  });

  it('says each place of an input once', () => {
    const { output } = setting();
    const message = 'berth.json:2:3: limits.duration is 1; it must be at least 1000';
    const error = new BerthError('CONFIG_INVALID', {
      detail: message,
      problems: [{ at: 'limits.duration', message, line: 2, column: 3 }],
    });
    const lines = report(error, output, '');
    expect(lines.filter((line) => line.includes(message))).toHaveLength(1);
    const ambiguous = new BerthError('DEPLOYMENT_AMBIGUOUS', {
      detail: '2 deployments fit a.',
      problems: [{ at: 'a-1', message: 'is ready' }],
    });
    expect(report(ambiguous, output, '')).toContain('  a-1: is ready');
  });
});
