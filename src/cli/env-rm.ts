/** `berth env rm`: removes variables of an environment, as one release. */
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { changeVariables } from './env-change.ts';
import { projectOf } from './env-place.ts';
import type { ChangeOptions } from './env-set.ts';

export async function run(
  context: Context,
  names: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  const project = await projectOf(context, options);
  const client = await connect(context, options);
  // A misspelt name would change nothing and say so only in passing.
  const there = await client.variables(project, options.env);
  const unknown = names.filter((name) => !Object.hasOwn(there, name));
  if (unknown.length > 0) {
    throw new BerthError('INVALID_INPUT', {
      detail: `${options.env} of ${project} has no variable ${unknown.join(', ')} of its own: \`berth env ls\` shows them.`,
    });
  }
  await changeVariables(context, client, { project, ...options, change: { unset: names } });
}
