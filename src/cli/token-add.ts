/** `berth token add`: a token for a program; its value is shown once. */
import type { TokenInput } from '../client/access.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GrantOptions } from './access-commands.ts';
import { inTeam } from './grant-words.ts';

export interface TokenAddOptions extends GrantOptions {
  readonly can?: readonly string[];
  readonly project?: readonly string[];
  readonly expires?: number;
}

export async function run(context: Context, name: string, options: TokenAddOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const { can, project, expires, role } = options;
  const made = await client.addToken({
    name,
    ...inTeam(options),
    ...(role === undefined ? {} : { role }),
    // The server says which verbs there are, and refuses the others.
    ...(can ? { can: [...can] as NonNullable<TokenInput['can']> } : {}),
    ...(project ? { projects: [...project] } : {}),
    ...(expires === undefined ? {} : { expiresInMs: expires }),
  });
  if (output.isJson) output.json(made);
  else output.print(made.value);
  output.note(
    'It is not shown again. Programs take it from BERTH_TOKEN, with the server in BERTH_URL.',
  );
}
