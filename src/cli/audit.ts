/** `berth audit`: who changed what, newest first. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export interface AuditOptions extends GlobalOptions {
  readonly project?: string;
  readonly team?: string;
  /** ms since the epoch. */
  readonly since?: number;
  readonly limit?: number;
}

export async function run(context: Context, options: AuditOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const { project, team, since, limit } = options;
  const entries = await client.audit({
    ...(project === undefined ? {} : { project }),
    ...(team === undefined ? {} : { team }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(limit === undefined ? {} : { limit }),
  });
  if (output.isJson) {
    output.json(entries);
    return;
  }
  if (entries.length === 0) {
    output.note('Nothing was changed.');
    return;
  }
  const rows = entries.map((entry) => [
    entry.at.slice(0, 19).replace('T', ' '),
    entry.actor,
    entry.failure === undefined
      ? entry.action
      : output.style('red', `${entry.action}: ${entry.failure}`),
    entry.subject,
    [entry.detail, entry.address === undefined ? '' : `from ${entry.address}`]
      .filter((part) => part !== '')
      .join(', '),
  ]);
  printTable(output, ['TIME (UTC)', 'WHO', 'WHAT', 'TO', ''], rows);
}
