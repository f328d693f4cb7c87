/** `berth whoami`: which server commands talk to, and as whom. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { serverAddress } from './server-address.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { world, output } = context;
  const { url } = await serverAddress(world, options);
  const client = await connect(context, options);
  const identity = await client.whoami();
  if (output.isJson) output.json({ ...identity, server: url });
  else output.print(`${identity.name} at ${url} (${identity.via})`);
}
