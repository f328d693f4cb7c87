/** How commands tell of a release that was made. */
import type { Release, Released } from '../client/client.ts';
import type { Output } from './output.ts';

/** Waits for a release with a line that says so; a failure leaves its own. */
export async function releasing<Made>(
  output: Output,
  doing: string,
  failed: string,
  made: Promise<Made>,
  done: (made: Made) => string,
): Promise<Made> {
  const step = output.step(doing);
  try {
    const result = await made;
    step.done(done(result));
    return result;
  } catch (error) {
    step.fail(failed);
    throw error;
  }
}

/** `production v12 runs shop-1a2b3c4d`, and which release on trial was taken back for it. */
export function sentence(release: Released): string {
  return `${whatHappened(release)}${endOfTrial(release)}`;
}

/** Empty when nothing was on trial. */
export function endOfTrial({ endedTrial }: Pick<Release, 'endedTrial'>): string {
  return endedTrial === undefined ? '' : `; v${endedTrial}, which was on trial, was taken back`;
}

function whatHappened(release: Released): string {
  const { environment, number, deployment, state, percent, isStanding } = release;
  if (isStanding) {
    return `${environment} v${number} runs ${deployment} already: no new release is needed`;
  }
  if (state === 'trial')
    return `${environment} v${number}: ${percent} % of clients get ${deployment}`;
  if (state === 'failed') return `${environment} v${number} was taken back`;
  return `${environment} v${number} runs ${deployment}`;
}

/** The result of a command that made a release: its URL, or everything with --json. */
export function printRelease(output: Output, release: Release): void {
  if (output.isJson) output.json(release);
  else output.print(output.style('bold', release.url));
}
