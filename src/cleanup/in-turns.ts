/** Takes the steps of a decision one by one, so that requests have their turn between them. */
import { setImmediate } from 'node:timers/promises';
import type { Steps } from '../core/steps.ts';

export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await setImmediate();
  }
}
