/** `berth teams rm`: removes teams that have nothing deployed, with their tokens and secrets. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  context: Context,
  names: readonly string[],
  options: GlobalOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  for (const name of names) {
    await client.removeTeam(name);
    output.note(`Removed ${name}.`);
  }
  if (output.isJson) output.json(names.map((name) => ({ name, removed: true })));
}
