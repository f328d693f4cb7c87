/** `berth scale`: how many instances an environment keeps and may have. */
import type { Environment } from '../client/client.ts';
import { readAssignments, wholeNumber } from './assignments.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';
import type { GlobalOptions } from './program.ts';
import { projectOf } from './project-of.ts';
import { releasing, sentence } from './released.ts';
import { printFields } from './table.ts';

export interface SettingsOptions extends GlobalOptions {
  readonly env: string;
  readonly why?: string;
}

export async function run(
  context: Context,
  given: readonly string[],
  options: SettingsOptions,
): Promise<void> {
  const { output } = context;
  const { project: named, values } = readAssignments(given, ['min', 'max']);
  const body = {
    ...(values.min === undefined ? {} : { min: wholeNumber('min', values.min) }),
    ...(values.max === undefined ? {} : { max: wholeNumber('max', values.max) }),
    ...(options.why === undefined ? {} : { why: options.why }),
  };
  const client = await connect(context, options);
  const project = await projectOf(context, named);
  if (Object.keys(values).length === 0) {
    print(output, await client.environment(project, options.env));
    return;
  }
  const { environment } = await releasing(
    output,
    `Scaling ${options.env} of ${project}`,
    `${options.env} of ${project} stays as it is`,
    client.scale(project, options.env, body),
    ({ release }) => (release ? sentence(release) : UNCHANGED),
  );
  print(output, environment);
}

/** Said when no release came of it. */
export const UNCHANGED = 'Noted: nothing that runs changes by it';

function print(output: Output, environment: Environment): void {
  if (output.isJson) {
    output.json(environment);
    return;
  }
  const { scale } = environment.settings;
  printFields(output, [
    ['environment', environment.name],
    ['min', scale ? `${scale.min}` : 'as configured'],
    ['max', scale ? `${scale.max}` : 'as configured'],
  ]);
}
