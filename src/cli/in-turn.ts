/** Waits for a turn when the server says that deploys come too often, and says so. */
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { duration } from './format.ts';

/** What `ask` gives, asked again for as long as it is RATE_LIMITED. */
export async function inTurn<Result>(
  { world, output }: Context,
  ask: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'RATE_LIMITED') throw error;
      const waitMs = (error.retryAfterSeconds ?? 1) * 1_000;
      const step = output.step(`Too many deploys in a short time: waiting ${duration(waitMs)}`);
      await world.clock.sleep(waitMs, world.interrupted);
      step.done('Waited for a turn');
      if (world.interrupted.aborted) throw error;
    }
  }
}
