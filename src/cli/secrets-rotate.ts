/** `berth secrets rotate`: gives a secret a new value, and says who still runs with the old one. */
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import { readValue, secretName } from './secret-value.ts';
import type { SecretOptions } from './secrets-add.ts';

export interface RotateOptions extends SecretOptions {
  readonly release?: boolean;
}

/** An environment that was moved to the new version, or the reason why not. */
interface Moved {
  readonly project: string;
  readonly environment: string;
  readonly release?: number;
  readonly failure?: { readonly code: string; readonly detail: string };
}

export async function run(context: Context, given: string, options: RotateOptions): Promise<void> {
  const { world, output } = context;
  const name = secretName(given);
  const client = await connect(context, options);
  const value = await readValue(world, name, options);
  const { secret, behind } = await client.rotateSecret(name, value, options.team);
  if (!output.isJson) output.print(`${secret.name} v${secret.version}`);

  const moved: Moved[] = [];
  if (options.release) {
    for (const { project, environment } of behind) {
      const step = output.step(`Releasing ${environment} of ${project}`);
      try {
        const { release } = await client.takeNewestSecrets(project, environment);
        moved.push({ project, environment, ...(release ? { release: release.number } : {}) });
        step.done(
          `${environment} of ${project} runs with it${release ? `, v${release.number}` : ''}`,
        );
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        const { code, detail } = error;
        moved.push({ project, environment, failure: { code, detail } });
        step.fail(`${environment} of ${project} stays with the old value: ${detail}`);
      }
    }
  } else if (behind.length > 0) {
    output.note(`Still with an older value, until their next release:`);
    for (const { project, environment, version } of behind) {
      output.note(`  ${environment} of ${project}  v${version}`);
    }
    output.note('`berth secrets rotate --release` moves them at once, and so does each deploy.');
  }
  if (output.isJson) output.json({ secret, behind, moved });
  const failed = moved.filter(({ failure }) => failure !== undefined);
  if (failed.length > 0) {
    throw new BerthError('RELEASE_FAILED', {
      detail: `The new value is kept, but ${count(failed.length, 'environment')} could not be moved to it.`,
      problems: failed.map(({ project, environment, failure }) => ({
        at: `${project} ${environment}`,
        message: failure?.detail ?? '',
      })),
    });
  }
}
