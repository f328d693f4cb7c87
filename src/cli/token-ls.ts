/** `berth token ls`: tokens of a team with what each may and when it was used; never their values. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age } from './format.ts';
import { grantInWords } from './grant-words.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(
  context: Context,
  options: GlobalOptions & { readonly team?: string },
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const tokens = await client.tokens(options.team);
  if (output.isJson) {
    output.json(tokens);
    return;
  }
  if (tokens.length === 0) {
    output.note(
      'There is no token: `berth token add NAME` makes one, `berth teams invite` a login link.',
    );
    return;
  }
  const now = world.clock.now();
  const rows = tokens.map((token) => [
    token.name,
    token.kind === 'login' ? 'person' : 'program',
    token.lastUsedAt ? `${age(now - Date.parse(token.lastUsedAt))} ago` : 'never',
    token.expiresAt === undefined ? '' : `in ${age(Date.parse(token.expiresAt) - now)}`,
    token.id,
    grantInWords(token),
  ]);
  printTable(output, ['NAME', 'OF A', 'USED', 'EXPIRES', 'ID', 'MAY'], rows);
}
