/** `berth secrets rm`: removes secrets that nobody uses; with --force also those that somebody does. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export interface RmOptions extends GlobalOptions {
  readonly force?: boolean;
  readonly team?: string;
}

export async function run(
  context: Context,
  names: readonly string[],
  options: RmOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const { team, force = false } = options;
  for (const name of names) {
    const step = output.step(`Removing ${name}`);
    await client.removeSecret(name, { force, ...(team === undefined ? {} : { team }) });
    step.done(`Removed ${name}`);
  }
  if (output.isJson) output.json(names.map((name) => ({ name, removed: true })));
}
