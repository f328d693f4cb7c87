/** `berth plans rm`: removes a plan of one’s own that no team is on. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(context: Context, name: string, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  await client.removePlan(name);
  if (output.isJson) output.json({ name, removed: true });
  output.note(`Removed ${name}.`);
}
