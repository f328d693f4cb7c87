/** `berth rollback`: an environment goes back to an earlier release, with everything that belonged to it; one on trial is taken back. */
import { BerthError } from '../core/errors.ts';
import { parseVersion } from '../core/release.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { projectOf } from './project-of.ts';
import { printRelease, releasing, sentence } from './released.ts';

export interface RollbackOptions extends GlobalOptions {
  readonly env: string;
  readonly why?: string;
}

export async function run(
  context: Context,
  first: string | undefined,
  second: string | undefined,
  options: RollbackOptions,
): Promise<void> {
  const { output } = context;
  const { named, to } = whatIsMeant(first, second);
  const client = await connect(context, options);
  const project = await projectOf(context, named);
  const { env, why } = options;
  const release = await releasing(
    output,
    `Rolling back ${env} of ${project}`,
    `${env} of ${project} stays as it is`,
    client.rollback(project, env, {
      ...(to === undefined ? {} : { to }),
      ...(why === undefined ? {} : { why }),
    }),
    sentence,
  );
  const waits = release.state === 'current';
  output.note(
    `  ${release.because}.${waits ? ' Automatic deploys wait until the next release by hand.' : ''}`,
  );
  printRelease(output, release);
}

/** One argument alone may be either: `berth rollback v3` is the project of the folder. */
function whatIsMeant(first: string | undefined, second: string | undefined) {
  if (second === undefined) {
    const to = first === undefined ? undefined : parseVersion(first);
    // More likely a slip of the keyboard than a project of that name.
    if (to === undefined && first !== undefined && /^v\d+$/.test(first)) throw noRelease(first);
    return to === undefined ? { named: first, to } : { named: undefined, to };
  }
  const to = parseVersion(second);
  if (to === undefined) throw noRelease(second);
  return { named: first, to };
}

function noRelease(text: string): BerthError {
  return new BerthError('USAGE', { detail: `${text} is no release: write it like v12.` });
}
