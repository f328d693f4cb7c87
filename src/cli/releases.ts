/** `berth releases`: the history of an environment, newest first. */
import type { Release } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age } from './format.ts';
import type { Output } from './output.ts';
import type { GlobalOptions } from './program.ts';
import { projectOf } from './project-of.ts';
import { printTable } from './table.ts';

export interface ReleasesOptions extends GlobalOptions {
  readonly env: string;
  readonly lines: number;
}

export async function run(
  context: Context,
  named: string | undefined,
  options: ReleasesOptions,
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const project = await projectOf(context, named);
  const releases = await client.releases(project, options.env, options.lines);
  if (output.isJson) {
    output.json(releases);
    return;
  }
  if (releases.length === 0) {
    output.note(
      `Nothing was released to ${options.env} of ${project} yet: \`berth deploy --prod\`, or \`berth promote\`.`,
    );
    return;
  }
  const now = world.clock.now();
  const rows = releases.map((release) => [
    `${mark(release, output)} v${release.number}`,
    release.deployment,
    release.createdBy,
    `${age(now - Date.parse(release.createdAt))} ago`,
    release.percent === undefined
      ? release.because
      : `${release.because} (${release.percent} % of clients)`,
  ]);
  printTable(output, ['  RELEASE', 'RUNS', 'BY', 'WHEN', 'WHAT'], rows);
}

/** `●` takes the traffic, `◐` a share of it, `…` on its way, `✗` failed; others took it before. */
function mark({ state }: Release, output: Output): string {
  if (state === 'current') return output.style('green', '●');
  if (state === 'trial') return output.style('yellow', '◐');
  if (state === 'preparing') return output.style('yellow', '…');
  return state === 'failed' ? output.style('red', '✗') : ' ';
}
