/** `berth apply`: makes the platform what a stack file says, after showing what that takes. */
import { isDeepStrictEqual } from 'node:util';
import { findStack } from '../config/read-stack.ts';
import { BerthError } from '../core/errors.ts';
import { type Step, stepSubject } from '../core/stack.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { StackOptions } from './stack-commands.ts';
import { carryOut } from './stack-carry-out.ts';
import { look } from './stack-look.ts';
import { showPlan, stepJson } from './stack-show.ts';

export interface ApplyOptions extends StackOptions {
  readonly yes?: boolean;
}

export async function run(context: Context, options: ApplyOptions): Promise<void> {
  const { world, output } = context;
  const found = await findStack(world.folder, options.file);
  const client = await connect(context, options);
  const looked = await look(context, client, found, options);
  const { steps } = looked.plan;
  if (!output.isJson) showPlan(output, looked.plan);
  if (steps.length === 0) {
    tell(context, steps, 0);
    return;
  }
  if (!options.yes) {
    if (!world.canAsk) {
      throw new BerthError('USAGE', {
        detail: 'Nobody can be asked here: say --yes to apply, or `berth diff` to look.',
      });
    }
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: 'Do this?', initialValue: false });
    if (isCancel(answer) || !answer) {
      output.note('Nothing was changed.');
      return;
    }
    // A person may have thought about it for long.
    const again = await look(context, client, found, options);
    if (!isDeepStrictEqual(again.plan.steps, steps)) {
      throw new BerthError('PLAN_OUTDATED', { detail: 'The plan would be another one now.' });
    }
  }
  const carry = carryOut(context, client, looked, `by ${found.fileName}`);
  let done = 0;
  try {
    for (const step of steps) {
      if (world.interrupted.aborted) {
        throw new BerthError('DEPLOY_INTERRUPTED', { detail: 'Interrupted.' });
      }
      await carry(step);
      done += 1;
    }
  } catch (error) {
    tell(context, steps, done, true);
    const left = steps.slice(done).map(stepSubject).join(', ');
    output.note(
      `Done: ${done} of ${count(steps.length, 'step')}, and they stay. Not done: ${left}.`,
    );
    output.note('`berth apply` again goes on from there.');
    throw error;
  }
  tell(context, steps, done);
}

/** With --json: every step and what became of it. */
function tell({ output }: Context, steps: readonly Step[], done: number, isFailed = false): void {
  if (!output.isJson) return;
  const outcome = (index: number) => {
    if (index < done) return 'done';
    return isFailed && index === done ? 'failed' : 'left';
  };
  output.json({
    steps: steps.map((step, index) => ({ ...stepJson(step), outcome: outcome(index) })),
  });
}
