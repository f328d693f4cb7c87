/** `berth usage --disk`: what Berth has on the disk, by kind and by project, its budget, and how long it will last. */
import type { DiskUsage } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import { bytesInWords } from '../core/words.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { printFields, printTable } from './table.ts';

export interface UsageOptions extends GlobalOptions {
  readonly disk?: boolean;
}

const KINDS = ['images', 'cache', 'logs', 'builds', 'blobs', 'database'] as const;

export async function run(context: Context, options: UsageOptions): Promise<void> {
  const { output } = context;
  if (!options.disk) {
    throw new BerthError('USAGE', { detail: 'Say --disk: there is no other usage to show yet.' });
  }
  const usage = await (await connect(context, options)).diskUsage();
  if (output.isJson) {
    output.json(usage);
    return;
  }
  printFields(output, [
    ['used', `${bytesInWords(usage.usedBytes)} of a budget of ${bytesInWords(usage.budgetBytes)}`],
    ['room', roomOf(usage)],
    ['forecast', usage.forecast.because],
    ...KINDS.map((kind) => [kind, bytesInWords(usage.kinds[kind])] as const),
  ]);
  if (usage.projects.length === 0) return;
  output.print('');
  printTable(
    output,
    ['PROJECT', 'IMAGES', 'CACHE', 'LOGS', 'BUILDS', 'DEPLOYMENTS'],
    usage.projects.map((row) => [
      row.project ?? '(shared)',
      bytesInWords(row.images),
      bytesInWords(row.cache),
      bytesInWords(row.logs),
      bytesInWords(row.builds),
      row.project === undefined ? '' : count(row.deployments, 'deployment'),
    ]),
  );
}

function roomOf({ roomBytes, fileSystems }: DiskUsage): string {
  const free = fileSystems
    .map((one) => `${bytesInWords(one.freeBytes)} of ${bytesInWords(one.totalBytes)} free`)
    .join(', ');
  return roomBytes > 0
    ? `${bytesInWords(roomBytes)} until builds are refused (${free})`
    : `none: builds are refused (${free})`;
}
