/** `berth alias set`: leads a hostname, or a path of it, to an environment or a deployment. */
import { leadsTo, nameOf } from './alias-ls.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import type { AliasPlace } from './values.ts';

export async function run(
  context: Context,
  place: AliasPlace,
  target: string,
  options: GlobalOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const step = output.step(`Leading ${nameOf(place)} to ${target}`);
  const alias = await client.setAlias(place, target);
  step.done(`${nameOf(alias)} leads to ${leadsTo(alias)}${alias.isStanding ? ' already' : ''}`);
  if (output.isJson) output.json(alias);
  else output.print(alias.url ?? nameOf(alias));
}
