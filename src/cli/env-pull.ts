/** `berth env pull`: variables of an environment as a .env file, or as one object with --json. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatDotenv } from '../config/dotenv.ts';
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { type EnvironmentOptions, projectOf } from './env-place.ts';
import { count } from './format.ts';

export interface PullOptions extends EnvironmentOptions {
  readonly output?: string;
}

export async function run(context: Context, options: PullOptions): Promise<void> {
  const { world, output } = context;
  const project = await projectOf(context, options);
  const client = await connect(context, options);
  const variables = await client.variables(project, options.env);
  if (output.isJson && options.output === undefined) {
    output.json(variables);
    return;
  }
  const { text, unwritable } = formatDotenv(variables);
  if (options.output === undefined) output.print(text.trimEnd());
  else {
    try {
      await writeFile(resolve(world.folder, options.output), text, { mode: 0o600 });
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new BerthError('USAGE', { detail: `${options.output} cannot be written: ${said}.` });
    }
    output.note(
      `Wrote ${count(Object.keys(variables).length - unwritable.length, 'variable')} to ${options.output}`,
    );
    if (output.isJson) output.json({ wrote: options.output, leftOut: unwritable });
  }
  for (const name of unwritable) {
    output.note(`${name} is left out: the form of a .env file cannot hold its value.`);
  }
}
