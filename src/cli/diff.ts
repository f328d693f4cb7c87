/** `berth diff`: what `berth apply` would do. */
import { findStack } from '../config/read-stack.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { EXIT } from './report.ts';
import type { StackOptions } from './stack-commands.ts';
import { look } from './stack-look.ts';
import { planJson, showPlan } from './stack-show.ts';

export async function run(context: Context, options: StackOptions): Promise<number> {
  const { world, output } = context;
  const found = await findStack(world.folder, options.file);
  const client = await connect(context, options);
  const { plan } = await look(context, client, found, options);
  if (output.isJson) output.json(planJson(plan));
  else showPlan(output, plan);
  return plan.steps.length === 0 ? EXIT.ok : EXIT.differs;
}
