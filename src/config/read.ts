/** Finds and reads the configuration file of a folder; what is wrong is said all at once, each with its place. */
import { lstat, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { BerthError, type Problem } from '../core/errors.ts';
import { BOUNDS } from '../core/limits.ts';
import { scaleByRegion } from './fields.ts';
import { parseJson } from './json.ts';
import { CONFIG_NAMES } from './names.ts';
import { nearest } from './nearest.ts';
import { formatPath, type JsonPath, type Locate, problemAt } from './place.ts';
import { type ConfigFile, configFileSchema } from './keys.ts';

const MAX_BYTES = 1024 * 1024;

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
    : [...badKeys, ...issuesToProblems(result.error.issues, value, locate, fileName)];
  if (!result.success || problems.length > 0) {
    const sorted = problems.toSorted(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
    throw new BerthError('CONFIG_INVALID', {
      detail: sorted.map((problem) => problem.message).join('\n'),
      problems: sorted,
    });
  }
  return { file: result.data, fileName, locate };
}

/** Reads one configuration file. Throws CONFIG_SYNTAX or CONFIG_INVALID, also when it is no readable text. */
async function readConfigFile(path: string): Promise<ReadConfig> {
  const fileName = basename(path);
  const refuse = (message: string): never => {
    throw new BerthError('CONFIG_INVALID', {
      detail: `${fileName}: ${message}`,
      problems: [{ at: '', message: `${fileName}: ${message}` }],
    });
  };
  const status = await lstat(path).catch(() => refuse('the file cannot be read'));
  if (!status.isFile()) return refuse('this is not a plain file');
  if (status.size > MAX_BYTES) {
    return refuse(`the file is ${status.size} bytes: at most ${MAX_BYTES} are allowed`);
  }
  const bytes = await readFile(path).catch((error: Error) =>
    refuse(`the file cannot be read: ${error.message}`),
  );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('the file is not UTF-8 text: save it as UTF-8');
  }
  return readConfigText(text, fileName);
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

type Issue = z.core.$ZodIssue;

function issuesToProblems(
  issues: readonly Issue[],
  value: unknown,
  locate: Locate,
  fileName: string,
): readonly Problem[] {
  return issues
    .flatMap((issue) => flattened(issue, value))
    .flatMap((issue): Problem[] => {
      const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
      const say = (at: JsonPath, message: string, what: 'value' | 'key' = 'value') =>
        problemAt(fileName, locate, at, message, what);
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => say([...path, key], unknownKey(path, key), 'key'));
      }
      if (issue.code === 'invalid_key') {
        return [
          say(path, `${formatPath(path)} is not ${issue.issues[0]?.message ?? 'allowed'}`, 'key'),
        ];
      }
      const got = valueAt(value, path);
      const name = path.length === 0 ? 'the whole file' : formatPath(path);
      const is = got === undefined ? 'is missing' : `is ${shown(got)}`;
      const hint = path[0] === 'name' && typeof got === 'string' ? ` – ${tryName(got)}` : '';
      return [say(path, `${name} ${is}; it must be ${issue.message}${hint}`)];
    });
}

/** Issues of a union as those of the one form that was meant, if that can be told from the kind of the value. */
function flattened(issue: Issue, root: unknown): readonly Issue[] {
  if (formatPath(issue.path as JsonPath) === 'scale') {
    const value = valueAt(root, ['scale']);
    const isByRegion = Object.values(value ?? {}).some((entry) => typeof entry === 'object');
    if (typeof value === 'object' && isByRegion) {
      const result = scaleByRegion().safeParse(value);
      return result.success ? [] : result.error.issues.map((inner) => below(issue, inner));
    }
  }
  if (issue.code !== 'invalid_union') return [issue];
  const isOtherKind = (inner: Issue) =>
    inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value');
  // Of the forms whose kind fits, the first is the one to explain.
  const meant = issue.errors.find((inner) => !inner.some(isOtherKind));
  return meant?.flatMap((inner) => flattened(below(issue, inner), root)) ?? [issue];
}

function below(outer: Issue, inner: Issue): Issue {
  return { ...inner, path: [...outer.path, ...inner.path] };
}

function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** A value as a message shows it: JSON, cut when long. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function tryName(name: string): string {
  return `try "${projectNameOf(name.replaceAll('/', '-'))}"`;
}

function unknownKey(path: JsonPath, key: string): string {
  const foreign = path.length === 0 && Object.hasOwn(FOREIGN, key) ? FOREIGN[key] : undefined;
  if (foreign !== undefined) return foreign;
  const known = knownKeys(path);
  const near = nearest(key, known);
  const text = `there is no key ${formatPath([...path, key])}`;
  if (near !== undefined) return `${text}; did you mean "${near}"?`;
  return `${text}; known here: ${known.join(', ')}`;
}

/** The keys an object at a path may have, from the schema itself. */
function knownKeys(path: JsonPath): readonly string[] {
  type Shape = {
    properties?: Record<string, Shape>;
    additionalProperties?: Shape | false;
    anyOf?: Shape[];
  };
  let shapes = [z.toJSONSchema(configFileSchema, { io: 'input' }) as Shape];
  for (const part of path) {
    shapes = shapes
      .flatMap((shape) => [shape, ...(shape.anyOf ?? [])])
      .flatMap((shape) => {
        const next = shape.properties?.[part] ?? shape.additionalProperties;
        return next === undefined || next === false ? [] : [next];
      });
  }
  return shapes
    .flatMap((shape) => [shape, ...(shape.anyOf ?? [])])
    .flatMap((shape) => Object.keys(shape.properties ?? {}));
}
