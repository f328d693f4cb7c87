/** `berth environments rm`: an environment with its history; what it ran stays as a deployment. */
import { BerthError } from '../core/errors.ts';
import { environmentKey } from '../core/route.ts';
import { leadsTo, nameOf } from './alias-ls.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { EnvironmentOptions } from './environments-add.ts';
import { count } from './format.ts';
import { projectOf } from './project-of.ts';

export async function run(
  context: Context,
  environment: string,
  options: EnvironmentOptions & { readonly yes?: boolean; readonly withAliases?: boolean },
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const project = await projectOf(context, options.name);
  const { current, url, latest } = await client.environment(project, environment);
  let { withAliases = false } = options;
  if (!options.yes) {
    if (!world.canAsk) {
      throw new BerthError('USAGE', { detail: 'Nobody can be asked here: say --yes to remove.' });
    }
    const { confirm, isCancel } = await import('@clack/prompts');
    const leading = (await client.aliases())
      .filter((alias) => leadsTo(alias) === environmentKey(project, environment))
      .map(nameOf);
    const what = current ? `; ${url} then leads nowhere` : '';
    const its = leading.length > 0 ? ` and ${leading.join(', ')}, which lead there` : '';
    const answer = await confirm({
      message: `Remove ${environment} of ${project} with its ${count(latest, 'release')}${its}${what}?`,
      initialValue: false,
    });
    if (isCancel(answer) || !answer) {
      output.note('Nothing was removed.');
      return;
    }
    // They were named in the question.
    if (leading.length > 0) withAliases = true;
  }
  await client.removeEnvironment(project, environment, { withAliases });
  output.note(`Removed ${environment} of ${project}`);
  if (output.isJson) output.json({ project, name: environment, removed: true });
}
