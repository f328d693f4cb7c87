/** `berth alias rm`: what it led to stays. */
import { nameOf } from './alias-ls.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import type { AliasPlace } from './values.ts';

export async function run(
  context: Context,
  place: AliasPlace,
  options: GlobalOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const step = output.step(`Removing ${nameOf(place)}`);
  await client.removeAlias(place);
  step.done(`Removed ${nameOf(place)}`);
  if (output.isJson) output.json({ ...place, removed: true });
}
