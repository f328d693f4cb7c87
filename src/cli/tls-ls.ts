/** `berth tls ls`: certificates, by hostname, with where each comes from and how long it is valid. */
import type { Certificate } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

/** What people call it. */
const FROM: Readonly<Record<Certificate['source'], string>> = {
  own: 'your own',
  acme: 'automatic',
  local: 'local authority',
};

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const certificates = await client.certificates();
  if (output.isJson) {
    output.json(certificates);
    return;
  }
  if (certificates.length === 0) {
    output.note('There is no certificate yet: `berth up --listen-tls HOST:PORT` serves https.');
    return;
  }
  const rows = certificates.map((certificate) => [
    certificate.hostname,
    FROM[certificate.source],
    stateOf(certificate),
    certificate.because ?? certificate.issuer ?? '',
  ]);
  printTable(output, ['HOSTNAME', 'FROM', 'STATE', 'ISSUER'], rows);
}

/** `valid until 2026-12-31`; dates say more than the word alone. */
function stateOf({ state, notBefore = '', notAfter = '' }: Certificate): string {
  switch (state) {
    case 'valid':
      return `valid until ${day(notAfter)}`;
    case 'expired':
      return `expired on ${day(notAfter)}`;
    case 'notYetValid':
      return `valid from ${day(notBefore)}`;
    case 'pending':
    case 'failed':
      return state;
  }
}

function day(time: string): string {
  return time.slice(0, 10);
}
