/** `berth secrets rotate-key`: seals all secrets with a new key file. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const step = output.step('Sealing all secrets anew');
  const rotated = await client.rotateSecretsKey();
  step.done(`Sealed ${count(rotated.values, 'value')} with the new key ${rotated.masterKeyId}`);
  output.note(
    'Copy the new secrets.key: copies of the old one do not open backups made from now on.',
  );
  if (output.isJson) output.json(rotated);
}
