/** `berth environments add`: an environment of a project, before anything is released to it. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { projectOf } from './project-of.ts';

export interface EnvironmentOptions extends GlobalOptions {
  readonly name?: string;
}

export async function run(
  context: Context,
  environment: string,
  options: EnvironmentOptions,
): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const project = await projectOf(context, options.name);
  const made = await client.makeEnvironment(project, environment);
  if (output.isJson) output.json(made);
  else output.print(output.style('bold', made.url));
}
