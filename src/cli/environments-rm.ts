/** `berth environments rm`: an environment with its history; what it ran stays as a deployment. */
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { EnvironmentOptions } from './environments-add.ts';
import { projectOf } from './project-of.ts';

export async function run(
  context: Context,
  environment: string,
  options: EnvironmentOptions & { readonly yes?: boolean },
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const project = await projectOf(context, options.name);
  const { current, url, latest } = await client.environment(project, environment);
  if (!options.yes) {
    if (!world.canAsk) {
      throw new BerthError('USAGE', { detail: 'Nobody can be asked here: say --yes to remove.' });
    }
    const { confirm, isCancel } = await import('@clack/prompts');
    const what = current ? `; ${url} then leads nowhere` : '';
    const answer = await confirm({
      message: `Remove ${environment} of ${project} with its ${latest} releases${what}?`,
      initialValue: false,
    });
    if (isCancel(answer) || !answer) {
      output.note('Nothing was removed.');
      return;
    }
  }
  await client.removeEnvironment(project, environment);
  output.note(`Removed ${environment} of ${project}`);
  if (output.isJson) output.json({ project, name: environment, removed: true });
}
