/** `berth projects`: the projects there are, the team of each, and how much each has. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const [projects, deployments] = await Promise.all([client.projects(), client.deployments()]);
  const all = Map.groupBy(deployments, ({ project }) => project);
  if (output.isJson) {
    output.json(projects.map((one) => ({ ...one, deployments: all.get(one.name)?.length ?? 0 })));
    return;
  }
  if (projects.length === 0) {
    output.note('There is no project yet: `berth deploy` makes one of a folder.');
    return;
  }
  const rows = projects.map(({ name, team }) => {
    const own = all.get(name) ?? [];
    const running = [...new Set(own.flatMap(({ environments = [] }) => environments))];
    return [name, team, count(own.length, 'deployment'), running.join(', ')];
  });
  printTable(output, ['PROJECT', 'TEAM', 'HAS', 'RUNS IN'], rows);
}
