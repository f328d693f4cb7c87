/** `berth environments`: the environments of a project, and what each runs. */
import type { Environment } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { projectOf } from './project-of.ts';
import { printTable } from './table.ts';

export async function run(
  context: Context,
  named: string | undefined,
  options: GlobalOptions,
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const environments = await client.environments(await projectOf(context, named));
  if (output.isJson) {
    output.json(environments);
    return;
  }
  const now = world.clock.now();
  const rows = environments.map((environment) => {
    const { name, current, url } = environment;
    const mark = current ? output.style('green', '●') : '·';
    if (!current) return [`${mark} ${name}`, 'nothing yet', '', url, ''];
    const when = `${age(now - Date.parse(current.createdAt))} ago`;
    return [
      `${mark} ${name}`,
      `v${current.number}`,
      current.deployment,
      url,
      said(environment, when),
    ];
  });
  printTable(output, ['  ENVIRONMENT', 'RELEASE', 'RUNS', 'URL', 'SINCE'], rows);
}

function said({ paused, settings }: Environment, when: string): string {
  const { scale } = settings;
  return [
    when,
    ...(scale ? [`${scale.min}–${scale.max} instances`] : []),
    ...(paused === undefined ? [] : [`automatic deploys wait: ${paused}`]),
  ].join(', ');
}
