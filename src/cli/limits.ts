/** `berth limits`: the limits that an environment lays over those of what it runs. */
import { InvalidArgumentError } from 'commander';
import type { Client, Environment } from '../client/client.ts';
import { BerthError } from '../core/errors.ts';
import { readAssignments, wholeNumber } from './assignments.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { duration } from './format.ts';
import type { Output } from './output.ts';
import { projectOf } from './project-of.ts';
import { releasing, sentence } from './released.ts';
import { asConfigured, configurationOf, type SettingsOptions, UNCHANGED } from './scale.ts';
import { printFields } from './table.ts';
import { span } from './values.ts';

const NAMES = ['maxConcurrentReqs', 'duration', 'timeout'] as const;
/** Takes the environment's own limit away. */
const AS_CONFIGURED = 'default';

export async function run(
  context: Context,
  given: readonly string[],
  options: SettingsOptions,
): Promise<void> {
  const { output } = context;
  const { project: named, values } = readAssignments(given, NAMES);
  const wanted = Object.fromEntries(
    Object.entries(values).map(([name, text]) => [name, read(name, text)]),
  );
  const client = await connect(context, options);
  const project = await projectOf(context, named);
  if (Object.keys(wanted).length === 0) {
    await print(output, client, await client.environment(project, options.env));
    return;
  }
  const { environment } = await releasing(
    output,
    `Changing limits of ${options.env} of ${project}`,
    `${options.env} of ${project} stays as it is`,
    client.limit(project, options.env, {
      ...wanted,
      ...(options.why === undefined ? {} : { why: options.why }),
    }),
    ({ release }) => (release ? sentence(release) : UNCHANGED),
  );
  await print(output, client, environment);
}

/** `duration=60s`, or in ms as in the configuration. */
function read(name: string, text: string): number | null {
  if (text === AS_CONFIGURED) return null;
  if (name === 'maxConcurrentReqs' || /^\d+$/.test(text)) return wholeNumber(name, text);
  try {
    return span(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new BerthError('USAGE', { detail: `${name}=${text}: ${error.message}` });
  }
}

async function print(output: Output, client: Client, environment: Environment): Promise<void> {
  if (output.isJson) {
    output.json(environment);
    return;
  }
  const { limits } = environment.settings;
  // What runs was made with the environment's limits; those it does not set are of its configuration.
  const configured = (await configurationOf(client, environment))?.limits;
  const shown = (name: (typeof NAMES)[number], words: (value: number) => string) => {
    const [own, given] = [limits[name], configured?.[name]];
    return own === undefined
      ? asConfigured(given === undefined ? undefined : words(given))
      : words(own);
  };
  printFields(output, [
    ['environment', environment.name],
    ['maxConcurrentReqs', shown('maxConcurrentReqs', String)],
    ['duration', shown('duration', duration)],
    ['timeout', shown('timeout', duration)],
  ]);
}
