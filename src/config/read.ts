/** Finds and reads the configuration file of a folder; what is wrong is said all at once, each with its place. */
import { lstat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { scaleByRegion } from './fields.ts';
import { below, explainIssues, invalid, type Issue, valueAt } from './issues.ts';
import { parseJson } from './json.ts';
import { CONFIG_NAMES } from './names.ts';
import { readText } from './read-text.ts';
import { formatPath, type Locate } from './place.ts';
import { type ConfigFile, configFileSchema } from './keys.ts';

export interface ReadConfig {
  readonly file: ConfigFile;
  /** For messages: the name without folder. */
  readonly fileName: string;
  readonly locate: Locate;
}

export interface FoundConfig extends Partial<ReadConfig> {
  readonly file: ConfigFile;
  /** The project's name: the file's, or made from the folder's. */
  readonly name: string;
  /** Absolute path; absent when there is no configuration file. */
  readonly path?: string;
}

/** Keys of other platforms that people bring along, and what to know about them. */
const FOREIGN: Readonly<Record<string, string>> = {
  builds: 'builds belong to version 2 of another platform: Berth builds the Dockerfile',
  routes: 'routes belong to version 2 of another platform: the app answers every path itself',
  functions: 'functions belong to another platform: Berth runs the app of the Dockerfile',
};

/**
 * Throws CONFIG_SYNTAX when the text is not JSON, CONFIG_INVALID when it says something that is not allowed.
 * Messages begin with `fileName:line:column: `.
 */
export function readConfigText(text: string, fileName: string): ReadConfig {
  const { value, locate, badKeys } = parseJson(text.replace(/^\uFEFF/, ''), fileName);
  const result = configFileSchema.safeParse(value);
  const problems = result.success
    ? badKeys
    : [
        ...badKeys,
        ...explainIssues(result.error.issues, { value, locate, fileName, ...OF_CONFIG }),
      ];
  if (!result.success || problems.length > 0) throw invalid(problems);
  return { file: result.data, fileName, locate };
}

/** Reads one configuration file. Throws CONFIG_SYNTAX or CONFIG_INVALID, also when it is no readable text. */
async function readConfigFile(path: string): Promise<ReadConfig> {
  return readConfigText(await readText(path), basename(path));
}

/** The configuration of a folder, empty when it has none. Throws CONFIG_CONFLICT when it has two, and what `readConfigFile` throws. */
export async function findConfig(folder: string): Promise<FoundConfig> {
  const there: string[] = [];
  for (const name of CONFIG_NAMES) {
    const path = join(resolve(folder), name);
    if (
      await lstat(path).then(
        () => true,
        () => false,
      )
    )
      there.push(path);
  }
  if (there.length > 1) {
    const names = there.map((path) => basename(path)).join(' and ');
    throw new BerthError('CONFIG_CONFLICT', {
      detail: `${resolve(folder)} has ${names}: which one counts is not clear`,
    });
  }
  const [path] = there;
  if (path === undefined) return { file: {}, name: projectNameOf(folder) };
  const read = await readConfigFile(path);
  return { ...read, path, name: read.file.name ?? projectNameOf(folder) };
}

/** A project name made of any text: its last path segment, lower case, only a–z, 0–9 and single hyphens; `app` when nothing is left. */
export function projectNameOf(folder: string): string {
  const plain = basename(resolve(folder))
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, BOUNDS.projectNameChars)
    .replace(/-+$/, '');
  return plain === '' ? 'app' : plain;
}

/** What only messages about a berth.json say. */
const OF_CONFIG = {
  schema: configFileSchema,
  foreign: FOREIGN,
  hint: (path: readonly PropertyKey[], got: unknown) =>
    path[0] === 'name' && typeof got === 'string' ? ` – ${tryName(got)}` : '',
  meant: (issue: Issue, root: unknown): readonly Issue[] | undefined => {
    if (formatPath(issue.path as (string | number)[]) !== 'scale') return undefined;
    const value = valueAt(root, ['scale']);
    const isByRegion = Object.values(value ?? {}).some((entry) => typeof entry === 'object');
    if (typeof value !== 'object' || !isByRegion) return undefined;
    const result = scaleByRegion().safeParse(value);
    return result.success ? [] : result.error.issues.map((inner) => below(issue, inner));
  },
};

function tryName(name: string): string {
  return `try "${projectNameOf(name.replaceAll('/', '-'))}"`;
}
