/** `berth tls rm`: takes the certificate of a hostname away. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export async function run(
  context: Context,
  hostname: string,
  options: GlobalOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const step = output.step(`Removing the certificate of ${hostname}`);
  await client.removeCertificate(hostname);
  step.done(`Removed the certificate of ${hostname}`);
  if (output.isJson) output.json({ hostname, removed: true });
}
