/** Arguments like `min=1` after the name of a project. */
import { BerthError } from '../core/errors.ts';

export interface Assignments<Name extends string> {
  /** The argument without `=`, if there was one. */
  readonly project: string | undefined;
  readonly values: Readonly<Partial<Record<Name, string>>>;
}

/** Throws USAGE for a name that is not among `names`, and for a second project. */
export function readAssignments<Name extends string>(
  given: readonly string[],
  names: readonly Name[],
): Assignments<Name> {
  let project: string | undefined;
  const values: Partial<Record<Name, string>> = {};
  for (const argument of given) {
    const equals = argument.indexOf('=');
    if (equals === -1) {
      if (project !== undefined) refuse(`${project} and ${argument} cannot both be the project.`);
      project = argument;
      continue;
    }
    const name = names.find((one) => one === argument.slice(0, equals));
    if (name === undefined) refuse(`${argument} is none of ${names.join('=, ')}=.`);
    else values[name] = argument.slice(equals + 1);
  }
  return { project, values };
}

/** Throws USAGE when it is no whole number. */
export function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) refuse(`${name} must be a whole number, not ${text}.`);
  return Number(text);
}

function refuse(detail: string): never {
  throw new BerthError('USAGE', { detail });
}
