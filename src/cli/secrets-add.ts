/** `berth secrets add`: keeps a new secret. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { readValue, secretName, type ValueOptions } from './secret-value.ts';

export interface SecretOptions extends GlobalOptions, ValueOptions {
  readonly team?: string;
}

export async function run(context: Context, given: string, options: SecretOptions): Promise<void> {
  const { world, output } = context;
  const name = secretName(given);
  const client = await connect(context, options);
  const value = await readValue(world, name, options);
  const added = await client.addSecret(name, value, options.team);
  if (output.isJson) output.json(added);
  else output.print(`${added.name} v${added.version}`);
  output.note(`A variable takes its value when it is written as @${added.name}.`);
}
