/** `berth tls add`: gives the server a certificate for a hostname. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { readGiven } from './read-given.ts';

export interface AddOptions extends GlobalOptions {
  readonly cert: string;
  readonly key: string;
}

export async function run(context: Context, hostname: string, options: AddOptions): Promise<void> {
  const { world, output } = context;
  const [certificate, key] = await Promise.all([
    readGiven(world, options.cert),
    readGiven(world, options.key),
  ]);
  const client = await connect(context, options);
  const step = output.step(`Adding the certificate of ${hostname}`);
  const added = await client.addCertificate(hostname, certificate, key);
  step.done(
    `${added.hostname} is served with a certificate of ${added.issuer}, valid until ${added.notAfter?.slice(0, 10)}`,
  );
  if (output.isJson) output.json(added);
}
