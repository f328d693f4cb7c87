/** `berth alias ls`: hostnames that were given by hand, and where each leads. */
import type { Alias } from '../client/client.ts';
import { environmentKey } from '../core/route.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const aliases = await client.aliases();
  if (output.isJson) {
    output.json(aliases);
    return;
  }
  if (aliases.length === 0) {
    output.note('There is no alias yet: `berth alias set www.example.com PROJECT` makes one.');
    return;
  }
  const now = world.clock.now();
  const rows = aliases.map((alias) => [
    nameOf(alias),
    alias.isDangling ? `${leadsTo(alias)} (nothing is there)` : leadsTo(alias),
    `${age(now - Date.parse(alias.createdAt))} ago by ${alias.createdBy}`,
  ]);
  printTable(output, ['ALIAS', 'LEADS TO', 'SET'], rows);
}

/** `www.example.com/api` */
export function nameOf({ hostname, path }: Pick<Alias, 'hostname' | 'path'>): string {
  return path === '/' ? hostname : `${hostname}${path}`;
}

/** `shop/production`, or the id of a deployment. */
export function leadsTo({ leadsTo: target }: Alias): string {
  return 'deployment' in target
    ? target.deployment
    : environmentKey(target.project, target.environment);
}
