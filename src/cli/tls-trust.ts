/** `berth tls trust`: says how to trust the local authority and how to undo it, and does it for Debian when asked. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Authority } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';
import type { GlobalOptions } from './program.ts';
import { serverAddress } from './server-address.ts';
import { printFields } from './table.ts';
import { type TrustStore, trustFileName, trustStores } from './trust-stores.ts';

export interface TrustOptions extends GlobalOptions {
  readonly output?: string;
  readonly install?: boolean;
}

export async function run(context: Context, options: TrustOptions): Promise<void> {
  const { world, output } = context;
  if (options.install && !world.isRoot) {
    const detail =
      '--install changes what this machine trusts, and needs root: sudo berth tls trust --install.';
    throw new BerthError('USAGE', { detail });
  }
  const client = await connect(context, options);
  const { certificate, ...authority } = await client.authority();
  const path = await pathOf(context, options, authority.path, certificate);
  const { issuer: name, fingerprint256 } = authority;
  const stores = trustStores(path, name, fingerprint256);
  let installed: string | undefined;
  if (options.install) {
    const step = output.step('Adding the local authority to the store of this machine');
    installed = await world.trustCertificate(certificate, trustFileName(fingerprint256));
    step.done(`This machine trusts ${name}`);
  }
  if (output.isJson) {
    output.json({ ...authority, path, stores, ...(installed === undefined ? {} : { installed }) });
  } else if (installed === undefined) explain(output, { ...authority, path }, stores);
  else {
    output.print(installed);
    output.note('Browsers have stores of their own: `berth tls trust` says how. To undo this:');
    for (const line of stores[0]?.undo ?? []) output.note(`  ${line.replace(/^sudo /, '')}`);
  }
}

/** A file on this machine with the certificate: the server's own, or a copy. */
async function pathOf(
  context: Context,
  options: TrustOptions,
  path: string,
  certificate: string,
): Promise<string> {
  const { world } = context;
  if (options.output !== undefined) {
    const copy = resolve(world.folder, options.output);
    try {
      await writeFile(copy, certificate);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new BerthError('USAGE', { detail: `${copy} cannot be written: ${said}.`, cause });
    }
    return copy;
  }
  const { pid } = await serverAddress(world, options);
  if (pid !== undefined || options.install) return path;
  throw new BerthError('USAGE', {
    detail: 'The server is on another machine: --output FILE writes the certificate here.',
  });
}

function explain(
  output: Output,
  authority: Omit<Authority, 'certificate'>,
  stores: readonly TrustStore[],
): void {
  const { issuer, path, fingerprint256, notAfter, domains } = authority;
  printFields(output, [
    ['authority', issuer],
    ['certificate', path],
    ['fingerprint', fingerprint256],
    ['valid until', notAfter.slice(0, 10)],
    [
      'vouches for',
      `${domains.join(', ')}, all below, and this machine's own addresses; nothing else`,
    ],
  ]);
  output.print('');
  output.print(
    'Browsers warn of https here until they trust it. Its key is in the data folder of the server: whoever',
  );
  output.print('reads that can pretend to be those names. Trust it on machines of your own only.');
  for (const store of stores) {
    output.print('');
    output.print(output.style('bold', store.of));
    for (const line of store.trust) output.print(`  ${line}`);
    for (const line of store.undo) output.print(output.style('dim', `  undo: ${line}`));
  }
  output.print('');
  output.print(
    'The data folder is closed to other users: `berth tls trust --output FILE` writes a copy for them.',
  );
}
