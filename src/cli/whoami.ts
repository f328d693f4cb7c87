/** `berth whoami`: which server commands talk to, as whom, and what that one may. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { grantInWords } from './grant-words.ts';
import type { GlobalOptions } from './program.ts';
import { serverAddress } from './server-address.ts';
import { printFields } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { world, output } = context;
  const { url } = await serverAddress(world, options);
  const client = await connect(context, options);
  const identity = await client.whoami();
  if (output.isJson) {
    output.json({ ...identity, server: url });
    return;
  }
  if (!output.isTerminal) {
    output.print(`${identity.name} at ${url} (${identity.via}): ${grantInWords(identity)}`);
    return;
  }
  printFields(output, [
    ['name', identity.name],
    ['server', url],
    ['by', identity.via],
    ['is', grantInWords(identity)],
    ...(identity.expiresAt === undefined ? [] : [['until', identity.expiresAt] as const]),
  ]);
}
