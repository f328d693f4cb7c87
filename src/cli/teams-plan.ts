/** `berth teams plan`: puts a team on a plan. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  context: Context,
  team: string,
  plan: string,
  options: GlobalOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const changed = await client.setTeamPlan(team, plan);
  if (output.isJson) output.json(changed);
  const { quota, use } = changed;
  const isOver =
    use.instances > (quota.instances ?? Infinity) || use.requests > (quota.requests ?? Infinity);
  output.note(
    `${team} is on the plan ${plan}${isOver ? '; what runs beyond it may end by itself' : ''}.`,
  );
}
