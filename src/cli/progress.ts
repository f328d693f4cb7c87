/** Shows a deploy while it happens: a line per step, and what the build prints. */
import type { Deployment, ProgressEvent } from '../client/client.ts';
import { BerthError, CATALOGUE, type ErrorCode } from '../core/errors.ts';
import type { Output, Step } from './output.ts';

type StepEvent = Extract<ProgressEvent, { kind: 'step' }>;

/** What a step says while it runs and when it is done; the others are too quick to be worth a line. */
const SAID: Readonly<
  Partial<
    Record<
      StepEvent['name'],
      { readonly running: string; readonly done: string; readonly failed: string }
    >
  >
> = {
  queue: { running: 'Waiting for a turn', done: 'Waited for a turn', failed: 'No turn came' },
  build: { running: 'Building', done: 'Built', failed: 'The build failed' },
  boot: {
    running: 'Booting once to verify',
    done: 'Verified',
    failed: 'The app did not start well',
  },
};
/** Lines that a failure in JSON carries. */
const KEPT_LINES = 50;

/**
 * Follows the events to the end and returns the deployment, ready. Throws what made it fail, with the last lines
 * when they were not shown.
 */
export async function showProgress(
  output: Output,
  events: AsyncIterable<ProgressEvent>,
): Promise<Deployment> {
  const lines: string[] = [];
  let step: Step | undefined;
  let imageSize = '';
  try {
    for await (const event of events) {
      if (event.kind === 'line') {
        lines.push(event.text);
        if (lines.length > KEPT_LINES) lines.shift();
        output.quote(event.text);
      } else if (event.kind === 'step') {
        if (event.name === 'image') imageSize = event.detail ?? '';
        else step = showStep(event, step);
      } else {
        if (event.deployment.state === 'failed') throw failureOf(event.deployment, lines);
        return event.deployment;
      }
    }
  } finally {
    step?.drop();
  }
  throw new BerthError('DEPLOY_INTERRUPTED', { detail: 'The server ended the connection.' });

  function showStep(event: StepEvent, current: Step | undefined): Step | undefined {
    const said = SAID[event.name];
    if (!said) return current;
    const detail = event.detail === undefined ? '' : `: ${event.detail}`;
    if (event.state === 'running') {
      current?.drop();
      return output.step(`${said.running}${detail}`);
    }
    const ending = current ?? output.step(said.running);
    if (event.state === 'failed') ending.fail(`${said.failed}${detail}`, event.elapsedMs);
    else {
      const image = event.name === 'boot' && imageSize ? `, image of ${imageSize}` : '';
      ending.done(`${said.done}${detail}${image}`, event.elapsedMs);
    }
    return undefined;
  }

  function failureOf(deployment: Deployment, log: readonly string[]): BerthError {
    const { code = 'INTERNAL', detail = 'It is not known why.' } = deployment.failure ?? {};
    const known = Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'INTERNAL';
    return new BerthError(known, { detail, ...(output.isJson ? { log } : {}) });
  }
}
