/** Says where in the configuration a secret is named that is not there: only the server knows which there are. */
import { problemAt } from '../config/place.ts';
import type { FoundConfig } from '../config/read.ts';
import { BerthError } from '../core/errors.ts';

/** The same error with places of the file, if it is SECRET_NOT_FOUND; `given` are variables that did not come from it. */
export function locateSecrets(
  error: unknown,
  { file, fileName, locate }: FoundConfig,
  given: Readonly<Record<string, string>> = {},
): unknown {
  if (!(error instanceof BerthError) || error.code !== 'SECRET_NOT_FOUND') return error;
  const problems = error.problems.map((problem) => {
    const name = problem.at.replace(/^env\./, '');
    const { env } = file;
    const isInFile =
      env !== undefined && !Array.isArray(env) && env[name] !== undefined && !(name in given);
    return isInFile ? problemAt(fileName, locate, ['env', name], problem.message) : problem;
  });
  const detail = problems.map(({ message }) => message).join('\n');
  return new BerthError('SECRET_NOT_FOUND', { detail, problems });
}
