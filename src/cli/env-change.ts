/** Changes variables of an environment and says which release came of it. */
import type { Client, VariablesChange } from '../client/client.ts';
import type { Context } from './context.ts';
import { endOfTrial } from './released.ts';

export interface Change {
  readonly project: string;
  readonly env: string;
  readonly why?: string;
  readonly change: VariablesChange;
}

export async function changeVariables(
  { output }: Context,
  client: Client,
  { project, env, why, change }: Change,
): Promise<void> {
  const step = output.step(`Releasing ${env} of ${project}`);
  try {
    const said = why === undefined ? {} : { why };
    const { release } = await client.changeVariables(project, env, { ...change, ...said });
    if (release)
      step.done(
        `${env} of ${project} runs v${release.number}: ${release.because}${endOfTrial(release)}`,
      );
    else step.drop();
    if (output.isJson) output.json({ project, environment: env, ...(release ? { release } : {}) });
    else if (release) output.print(`v${release.number}`);
    if (release) return;
    output.note(
      `No release was made: ${env} of ${project} runs nothing yet, and its first release will have them, or nothing changed.`,
    );
  } finally {
    step.drop();
  }
}
