/** Failures as a person or a program reads them: code, what happened, what to do, where to read more. */
import { BerthError, errorPagePath, type Problem } from '../core/errors.ts';
import type { Output } from './output.ts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failure: 1, usage: 2, differs: 2, interrupted: 130 } as const;

/** Anything thrown as an error of the catalogue; what is not one already is a mistake of ours. */
export function toBerthError(error: unknown): BerthError {
  if (error instanceof BerthError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new BerthError('INTERNAL', { detail, cause: error });
}

export function exitCode(error: BerthError): number {
  return error.code === 'USAGE' ? EXIT.usage : EXIT.failure;
}

/** The lines for stderr. `pages` is where error pages are: the address of a server, or empty for the file in the repository. */
export function report(error: BerthError, output: Output, pages: string): readonly string[] {
  if (output.isJson) return [JSON.stringify({ error: errorJson(error) }, undefined, 2)];
  const noteStyle: Output['noteStyle'] = (style, text) => output.noteStyle(style, text);
  const lines = [
    ...error.log.map((line) => noteStyle('dim', `  │ ${line}`)),
    `${noteStyle('red', `error ${error.code}:`)} ${firstSentence(error)}`,
    ...error.problems.map((problem) => `  ${place(problem)}${problem.message}`),
  ];
  if (error.code === 'INTERNAL' && error.cause instanceof Error && error.cause.stack) {
    lines.push(
      ...error.cause.stack
        .split('\n')
        .slice(1, 4)
        .map((line) => noteStyle('dim', line)),
    );
  }
  const page =
    pages === '' ? `docs/errors/${error.code}.md` : `${pages}${errorPagePath(error.code)}`;
  lines.push(`  ${error.advice}`, noteStyle('dim', `  ${page}`));
  return lines;
}

/** The fields of an error in `--json`, the same names as in the API's problems. */
function errorJson(error: BerthError): Record<string, unknown> {
  return {
    code: error.code,
    title: error.title,
    detail: error.detail,
    advice: error.advice,
    ...(error.problems.length > 0 ? { problems: error.problems } : {}),
    ...(error.log.length > 0 ? { log: error.log } : {}),
  };
}

/** Of what is not there, or is there already, the detail says the same with its name. */
const SAID_BY_DETAIL = /^There is no such |of (?:that|this) name\b/;

/** The title, and what happened unless the problems below say just that. */
function firstSentence(error: BerthError): string {
  const [first] = error.problems;
  const isRepeated = first !== undefined && error.detail.includes(first.message);
  if (error.detail === error.title || isRepeated) return error.title;
  return SAID_BY_DETAIL.test(error.title) ? error.detail : `${error.title}: ${error.detail}`;
}

/** Where it is, unless the message says so itself. */
function place(problem: Problem): string {
  const isNamed =
    problem.at === '' || problem.line !== undefined || problem.message.includes(problem.at);
  return isNamed ? '' : `${problem.at}: `;
}
