/** `berth rm`: removes deployments, after a question on a terminal. */
import { BerthError } from '../core/errors.ts';
import { findDeployment } from '../core/find-deployment.ts';
import type { Deployment } from '../client/client.ts';
import { leadsTo, nameOf } from './alias-ls.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

/** Removals under way: each is a connection. */
const AT_ONCE = 20;

export interface RmOptions extends GlobalOptions {
  readonly yes?: boolean;
  readonly withAliases?: boolean;
}

export async function run(
  context: Context,
  names: readonly string[],
  options: RmOptions,
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  // All are found before the first is removed: a misspelt one costs nothing.
  const deployments = await client.deployments();
  const ids = [...new Set(names.map((name) => findOne(name, deployments)))];
  let { withAliases = false } = options;
  if (!options.yes) {
    if (!world.canAsk) {
      throw new BerthError('USAGE', { detail: 'Nobody can be asked here: say --yes to remove.' });
    }
    const { confirm, isCancel } = await import('@clack/prompts');
    const leading = (await client.aliases())
      .filter((alias) => ids.includes(leadsTo(alias)))
      .map(nameOf);
    const their = leading.length > 0 ? `, and ${leading.join(', ')}, which lead there` : '';
    const answer = await confirm({
      message: `Remove ${ids.join(', ')} with instances, image and logs${their}?`,
      initialValue: false,
    });
    if (isCancel(answer) || !answer) {
      output.note('Nothing was removed.');
      return;
    }
    // They were named in the question.
    if (leading.length > 0) withAliases = true;
  }
  // Together they take one clean-up and the time of the slowest. One that cannot go keeps none of the others.
  const failures: unknown[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const removals = ids.slice(from, from + AT_ONCE).map((id) => ({
      id,
      removed: client.remove(id, { withAliases }).catch((error: unknown) => ({ error })),
    }));
    for (const { id, removed } of removals) {
      const step = output.step(`Removing ${id}`);
      const failed = await removed;
      if (failed) {
        failures.push(failed.error);
        step.fail(`Kept ${id}`);
      } else step.done(`Removed ${id}`);
    }
  }
  if (failures.length > 0) throw failures[0];
  if (output.isJson) output.json(ids.map((id) => ({ id, removed: true })));
}

/** The id of the one deployment that a name fits. */
function findOne(name: string, deployments: readonly Deployment[]): string {
  if (name.trim() === '') throw new BerthError('USAGE', { detail: 'A name is empty.' });
  const found = findDeployment(name, deployments, 'one');
  if (found.kind === 'found') return found.deployment.id;
  if (found.kind === 'none') {
    throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail: `No deployment is called ${name}.` });
  }
  throw new BerthError('DEPLOYMENT_AMBIGUOUS', {
    detail: `${found.candidates.length} deployments fit ${name}.`,
    problems: found.candidates.map(({ id, state }) => ({ at: id, message: `is ${state}` })),
  });
}
