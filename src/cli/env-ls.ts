/** `berth env ls`: variables of an environment. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { type EnvironmentOptions, projectOf } from './env-place.ts';
import { printTable } from './table.ts';

export async function run(context: Context, options: EnvironmentOptions): Promise<void> {
  const { output } = context;
  const project = await projectOf(context, options);
  const client = await connect(context, options);
  const variables = await client.variables(project, options.env);
  if (output.isJson) {
    output.json(variables);
    return;
  }
  const names = Object.keys(variables).toSorted();
  if (names.length === 0) {
    output.note(
      `${options.env} of ${project} has no variables of its own: \`berth env set NAME=VALUE\` sets one.`,
    );
    return;
  }
  // A value of several lines would look like several variables.
  const rows = names.map((name) => [name, (variables[name] ?? '').replace(/\n/g, '\\n')]);
  printTable(output, ['NAME', 'VALUE'], rows);
}
