/** `berth teams invite`: a login link that works once. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GrantOptions } from './access-commands.ts';
import { inTeam } from './grant-words.ts';
import { serverAddress } from './server-address.ts';

export async function run(context: Context, name: string, options: GrantOptions): Promise<void> {
  const { world, output } = context;
  const { url } = await serverAddress(world, options);
  const client = await connect(context, options);
  const { role } = options;
  const made = await client.invite({ name, ...inTeam(options), ...(role ? { role } : {}) });
  const link = `${url}${made.path}`;
  if (output.isJson) output.json({ ...made, link });
  else output.print(link);
  const until = made.expiresAt.slice(0, 16).replace('T', ' ');
  output.note(
    `It makes ${name} ${made.role} of ${made.team ?? 'all teams'}, once, until ${until} UTC.`,
  );
}
