/** `berth teams add`: a team with nothing in it. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  context: Context,
  name: string,
  options: GlobalOptions & { readonly plan?: string },
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const team = await client.addTeam(name, options.plan);
  if (output.isJson) output.json(team);
  else output.print(team.name);
  output.note(`\`berth teams invite NAME --team ${team.name}\` makes a login link for somebody.`);
}
