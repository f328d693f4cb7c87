/** Finds and reads a stack file, JSON or YAML; what is wrong is said all at once, each with its place. */
import { lstat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { aliasName, parseAlias, tooWide } from '../core/alias.ts';
import { BerthError, type Problem } from '../core/errors.ts';
import type { Limits } from '../core/model.ts';
import type { Stack, WantedEnvironment, WantedProject, WantedRuns } from '../core/stack.ts';
import { explainIssues, invalid } from './issues.ts';
import { parseJson } from './json.ts';
import { type JsonPath, type Locate, problemAt } from './place.ts';
import { readText } from './read-text.ts';
import { toVariables } from './schema.ts';
import { type StackFile, stackFileSchema } from './stack-keys.ts';
import { parseYaml } from './yaml.ts';

const STACK_NAMES = ['berth.stack.json', 'berth.stack.yaml', 'berth.stack.yml'];

export interface ReadStack {
  readonly stack: Stack;
  /** For messages: the name without folder. */
  readonly fileName: string;
  readonly locate: Locate;
}

/** A stack with the folder that its folders are relative to. */
export interface FoundStack extends ReadStack {
  readonly folder: string;
}

/**
 * The file named, or the only one of the usual names in the folder. Throws STACK_NOT_FOUND, CONFIG_CONFLICT,
 * CONFIG_SYNTAX, CONFIG_INVALID.
 */
export async function findStack(folder: string, named?: string): Promise<FoundStack> {
  const root = resolve(folder);
  const candidates = (named === undefined ? STACK_NAMES : [named]).map((name) =>
    resolve(root, name),
  );
  const there: string[] = [];
  for (const path of candidates) if (await isThere(path)) there.push(path);
  const [path] = there;
  if (path === undefined) {
    const what = named === undefined ? STACK_NAMES.join(', ') : named;
    throw new BerthError('STACK_NOT_FOUND', { detail: `${root} has no ${what}.` });
  }
  if (there.length > 1) {
    const names = there.map((one) => basename(one)).join(' and ');
    throw new BerthError('CONFIG_CONFLICT', {
      detail: `${root} has ${names}: which one counts is not clear; name it with -f`,
    });
  }
  return { ...readStackText(await readText(path), basename(path)), folder: dirname(path) };
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** YAML when the name says so, else JSON. Throws CONFIG_SYNTAX or CONFIG_INVALID; messages begin with `fileName:line:column: `. */
export function readStackText(given: string, fileName: string): ReadStack {
  const text = given.replace(/^\uFEFF/, '');
  const parse = /\.ya?ml$/i.test(fileName) ? parseYaml : parseJson;
  const { value, locate, badKeys } = parse(text, fileName);
  const result = stackFileSchema.safeParse(value);
  if (!result.success) {
    const about = { schema: stackFileSchema, value, locate, fileName };
    throw invalid([...badKeys, ...explainIssues(result.error.issues, about)]);
  }
  const problems: Problem[] = [...badKeys];
  const stack = toStack(result.data, (path, message, what) =>
    problems.push(problemAt(fileName, locate, path, message, what)),
  );
  if (problems.length > 0) throw invalid(problems);
  return { stack, fileName, locate };
}

type Report = (path: JsonPath, message: string, what?: 'value' | 'key') => void;

function toStack(file: StackFile, report: Report): Stack {
  const aliases = file.aliases && toAliases(file.aliases, report);
  return {
    teams: new Map(
      Object.entries(file.teams ?? {}).map(([name, { plan }]) => [
        name,
        plan === undefined ? {} : { plan },
      ]),
    ),
    projects: new Map(
      Object.entries(file.projects ?? {}).map(([name, project]) => [
        name,
        toProject(name, project, report),
      ]),
    ),
    ...(aliases ? { aliases } : {}),
  };
}

type FileProject = NonNullable<StackFile['projects']>[string];
type FileEnvironment = NonNullable<FileProject['environments']>[string];

function toProject(
  name: string,
  { team, environments }: FileProject,
  report: Report,
): WantedProject {
  const made =
    environments &&
    new Map(
      Object.entries(environments).map(([environment, wanted]) => {
        const path = ['projects', name, 'environments', environment];
        return [environment, toEnvironment(path, wanted, report)];
      }),
    );
  return {
    ...(team === undefined ? {} : { team }),
    ...(made ? { environments: made } : {}),
  };
}

function toEnvironment(path: JsonPath, wanted: FileEnvironment, report: Report): WantedEnvironment {
  const { runs, variables, limits, scale } = wanted;
  return {
    ...(runs ? { runs: toRuns(runs) } : {}),
    ...(variables ? { variables: kept([...path, 'variables'], variables, report) } : {}),
    ...(limits ? { limits: toLimits(limits) } : {}),
    ...(scale ? { scale } : {}),
  };
}

function toRuns({
  folder,
  image,
  deployment,
  from,
}: NonNullable<FileEnvironment['runs']>): WantedRuns {
  if (folder !== undefined) return { kind: 'folder', folder };
  if (image !== undefined) return { kind: 'image', reference: image };
  if (from !== undefined) return { kind: 'environment', environment: from };
  return { kind: 'deployment', name: deployment ?? '' };
}

function toLimits({
  maxConcurrentReqs,
  duration,
  timeout,
}: NonNullable<FileEnvironment['limits']>): Partial<Limits> {
  return {
    ...(maxConcurrentReqs === undefined ? {} : { maxConcurrentReqs }),
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
}

/** Variables as they are kept, each name of a secret looked over. */
function kept(path: JsonPath, variables: Readonly<Record<string, string>>, report: Report) {
  try {
    return toVariables(variables);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    for (const { at, message } of error.problems) report([...path, at], message);
    return {};
  }
}

function toAliases(
  written: Readonly<Record<string, string>>,
  report: Report,
): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const [text, target] of Object.entries(written)) {
    const path = ['aliases', text];
    const place = parseAlias(text);
    if (typeof place === 'string') {
      report(path, `${text} ${place}`, 'key');
      continue;
    }
    const wide = tooWide(place);
    if (wide !== undefined) report(path, `${text} ${wide}`, 'key');
    const name = aliasName(place);
    if (aliases.has(name)) report(path, `${name} is there twice: keep one`, 'key');
    aliases.set(name, target);
  }
  return aliases;
}
