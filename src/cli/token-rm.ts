/** `berth token rm`: removes tokens; they are refused from that moment on. */
import type { Token } from '../client/access.ts';
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  context: Context,
  names: readonly string[],
  options: GlobalOptions & { readonly team?: string },
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const tokens = await client.tokens(options.team);
  // All are found before the first is removed: a misspelt one costs nothing.
  const found = names.map((name) => findOne(name, tokens));
  for (const { id, name } of found) {
    await client.removeToken(id);
    output.note(`Removed ${name}.`);
  }
  if (output.isJson) output.json(found.map(({ id, name }) => ({ id, name, removed: true })));
}

function findOne(name: string, tokens: readonly Token[]): Token {
  const fitting = tokens.filter((one) => one.id === name || one.name === name);
  const [first] = fitting;
  if (!first) throw new BerthError('TOKEN_NOT_FOUND', { detail: `There is no token ${name}.` });
  if (fitting.length === 1) return first;
  throw new BerthError('USAGE', {
    detail: `${fitting.length} tokens are called ${name}: say --team, or the id.`,
    problems: fitting.map(({ id, team }) => ({ at: id, message: `of ${team ?? 'all teams'}` })),
  });
}
