/** `berth projects rm`: a project with everything in it, after showing what that is. */
import type { Alias, Client } from '../client/client.ts';
import { leadsInto } from '../core/alias.ts';
import { BerthError } from '../core/errors.ts';
import { leadsTo, nameOf } from './alias-ls.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export interface ProjectsRmOptions extends GlobalOptions {
  readonly yes?: boolean;
  readonly withAliases?: boolean;
}

export async function run(
  context: Context,
  project: string,
  options: ProjectsRmOptions,
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const plan = await planOf(client, project);
  if (!output.isJson) {
    printTable(output, ['GOES', 'NAME', 'WHAT'], plan.rows);
    output.note(
      `The history of its releases goes with it. The audit log stays, and so do the team’s secrets.`,
    );
  }
  let { withAliases = false } = options;
  if (!options.yes) {
    if (!world.canAsk) {
      throw new BerthError('USAGE', {
        detail: `Nobody can be asked here: say --yes to remove ${project}.`,
      });
    }
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: `Remove all of ${project}?`, initialValue: false });
    if (isCancel(answer) || !answer) {
      output.note('Nothing was removed.');
      return;
    }
    // They are in what was shown.
    if (plan.aliases.length > 0) withAliases = true;
  }
  const step = output.step(`Removing ${project}`);
  const removed = await client.removeProject(project, { withAliases });
  step.done(
    `Removed ${project}: ${count(removed.deployments, 'deployment')}, ${count(removed.environments, 'environment')}`,
  );
  if (output.isJson) output.json({ ...removed, removed: true });
}

/** Everything that goes, for people. Throws PROJECT_NOT_FOUND. */
async function planOf(
  client: Client,
  project: string,
): Promise<{ readonly rows: readonly (readonly string[])[]; readonly aliases: readonly Alias[] }> {
  const [environments, deployments, allAliases] = await Promise.all([
    client.environments(project),
    client.deployments(project),
    client.aliases(),
  ]);
  const aliases = allAliases.filter((alias) => leadsInto({ target: targetOf(alias) }, { project }));
  const rows = [
    ...aliases.map((alias) => ['alias', nameOf(alias), `leads to ${leadsTo(alias)}`]),
    // Production and staging are told of even where nothing was ever released to them.
    ...environments
      .filter(({ latest, settings }) => latest > 0 || settings.variables.length > 0)
      .map(({ name, latest, url }) => ['environment', name, `${count(latest, 'release')}, ${url}`]),
    ...deployments.map(({ id, state }) => ['deployment', id, state]),
    ['project', project, 'its name is free then'],
  ];
  return { rows, aliases };
}

function targetOf({ leadsTo: to }: Alias): Parameters<typeof leadsInto>[0]['target'] {
  return 'deployment' in to
    ? { kind: 'deployment', deploymentId: to.deployment }
    : { kind: 'environment', ...to };
}
