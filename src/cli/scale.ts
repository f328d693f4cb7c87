/** `berth scale`: how many instances an environment keeps and may have. */
import type { Client, Environment } from '../client/client.ts';
import type { Configuration } from '../core/model.ts';
import { scaleOf } from '../core/release.ts';
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
    await print(output, client, await client.environment(project, options.env));
    return;
  }
  const { environment } = await releasing(
    output,
    `Scaling ${options.env} of ${project}`,
    `${options.env} of ${project} stays as it is`,
    client.scale(project, options.env, body),
    ({ release }) => (release ? sentence(release) : UNCHANGED),
  );
  await print(output, client, environment);
}

/** Said when no release came of it. */
export const UNCHANGED = 'Noted: nothing that runs changes by it';

async function print(output: Output, client: Client, environment: Environment): Promise<void> {
  if (output.isJson) {
    output.json(environment);
    return;
  }
  const { name, settings } = environment;
  const configured = settings.scale ? undefined : await configurationOf(client, environment);
  // The declaration is that of what may be sent; what the server answers is whole.
  const own = configured as Pick<Configuration, 'scale'> | undefined;
  const scale = own && scaleOf(name, { variables: {}, limits: {} }, own);
  const shown = (which: 'min' | 'max') =>
    settings.scale ? `${settings.scale[which]}` : asConfigured(scale && `${scale[which]}`);
  printFields(output, [
    ['environment', name],
    ['min', shown('min')],
    ['max', shown('max')],
  ]);
}

/** Of what the environment runs; undefined when that is nothing. */
export async function configurationOf(client: Client, { current }: Environment) {
  return current && (await client.deployment(current.deployment)).configuration;
}

/** `10 (as configured)`; without a value nothing runs that has one. */
export function asConfigured(value: string | undefined): string {
  return value === undefined ? 'as configured' : `${value} (as configured)`;
}
