/** `berth env set`: sets variables of an environment, as one release. */
import { BerthError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { type EnvironmentOptions, projectOf } from './env-place.ts';
import { changeVariables } from './env-change.ts';

export interface ChangeOptions extends EnvironmentOptions {
  readonly why?: string;
}

export async function run(
  context: Context,
  words: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  const set = Object.fromEntries(words.map(parse));
  const project = await projectOf(context, options);
  const client = await connect(context, options);
  await changeVariables(context, client, { project, ...options, change: { set } });
}

/** Throws USAGE. */
function parse(word: string): readonly [string, string] {
  const equals = word.indexOf('=');
  if (equals > 0) return [word.slice(0, equals), word.slice(equals + 1)];
  throw new BerthError('USAGE', { detail: `${word} is no NAME=VALUE.` });
}
