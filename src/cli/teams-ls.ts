/** `berth teams`: teams with their plans and what they use now. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const teams = await client.teams();
  if (output.isJson) {
    output.json(teams);
    return;
  }
  const rows = teams.map(({ name, plan, projects, use, quota }) => [
    name,
    plan,
    `${projects}`,
    ofBound(use.instances, quota.instances),
    ofBound(use.requests, quota.requests),
  ]);
  printTable(output, ['TEAM', 'PLAN', 'PROJECTS', 'RUNNING', 'REQUESTS'], rows);
}

function ofBound(used: number, bound: number | undefined): string {
  return bound === undefined ? `${used}` : `${used} of ${bound}`;
}
