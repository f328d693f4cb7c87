/** `berth plans`: what each plan allows, and who is on it. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const plans = await client.plans();
  if (output.isJson) {
    output.json(plans);
    return;
  }
  const rows = plans.map(({ name, instances, requests, isPreset, teams }) => [
    name,
    `${instances ?? 'any'}`,
    `${requests ?? 'any'}`,
    isPreset ? 'preset' : 'own',
    teams.join(', '),
  ]);
  printTable(output, ['PLAN', 'INSTANCES', 'REQUESTS', 'KIND', 'TEAMS'], rows);
}
