/** What a schema finds wrong with a file, as problems with their places that say what is allowed instead. */
import { z } from 'zod';
import { BerthError, type Problem } from '../core/errors.ts';
import { nearest } from './nearest.ts';
import { formatPath, type JsonPath, type Locate, problemAt } from './place.ts';

export type Issue = z.core.$ZodIssue;

/** What the issues are about. */
export interface Explained {
  readonly schema: z.ZodType;
  /** The whole file. */
  readonly value: unknown;
  readonly locate: Locate;
  readonly fileName: string;
  /** Keys of other platforms that people bring along at the top, and what to know about them. */
  readonly foreign?: Readonly<Record<string, string>>;
  /** Added to a message. */
  readonly hint?: (path: readonly PropertyKey[], got: unknown) => string;
  /** The issues of the form that was meant, where the kind of the value does not tell which that is. */
  readonly meant?: (issue: Issue, root: unknown) => readonly Issue[] | undefined;
}

/** CONFIG_INVALID with all of them, in the order of the file. */
export function invalid(problems: readonly Problem[]): BerthError {
  const sorted = problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  return new BerthError('CONFIG_INVALID', {
    detail: sorted.map((problem) => problem.message).join('\n'),
    problems: sorted,
  });
}

/** Each message is `file:line:column: ` and a sentence. */
export function explainIssues(issues: readonly Issue[], about: Explained): readonly Problem[] {
  const { value, locate, fileName } = about;
  return issues
    .flatMap((issue) => flattened(issue, about))
    .flatMap((issue): Problem[] => {
      const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
      const say = (at: JsonPath, message: string, what: 'value' | 'key' = 'value') =>
        problemAt(fileName, locate, at, message, what);
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => say([...path, key], unknownKey(path, key, about), 'key'));
      }
      if (issue.code === 'invalid_key') {
        return [
          say(path, `${formatPath(path)} is not ${issue.issues[0]?.message ?? 'allowed'}`, 'key'),
        ];
      }
      const got = valueAt(value, path);
      const name = path.length === 0 ? 'the whole file' : formatPath(path);
      const is = got === undefined ? 'is missing' : `is ${shown(got)}`;
      const hint = about.hint?.(path, got) ?? '';
      return [say(path, `${name} ${is}; it must be ${issue.message}${hint}`)];
    });
}

/** Issues of a union as those of the one form that was meant, if that can be told from the kind of the value. */
function flattened(issue: Issue, about: Explained): readonly Issue[] {
  const told = about.meant?.(issue, about.value);
  if (told) return told;
  if (issue.code !== 'invalid_union') return [issue];
  const isOtherKind = (inner: Issue) =>
    inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value');
  // Of the forms whose kind fits, the first is the one to explain.
  const meant = issue.errors.find((inner) => !inner.some(isOtherKind));
  return meant?.flatMap((inner) => flattened(below(issue, inner), about)) ?? [issue];
}

/** The same issue, seen from around it. */
export function below(outer: Issue, inner: Issue): Issue {
  return { ...inner, path: [...outer.path, ...inner.path] };
}

export function valueAt(root: unknown, path: JsonPath): unknown {
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

function unknownKey(path: JsonPath, key: string, { schema, foreign = {} }: Explained): string {
  const known = path.length === 0 && Object.hasOwn(foreign, key) ? foreign[key] : undefined;
  if (known !== undefined) return known;
  const keys = knownKeys(schema, path);
  const near = nearest(key, keys);
  const text = `there is no key ${formatPath([...path, key])}`;
  if (near !== undefined) return `${text}; did you mean "${near}"?`;
  return keys.length === 0
    ? `${text}; nothing may stand here`
    : `${text}; known here: ${keys.join(', ')}`;
}

/** The keys an object at a path may have, from the schema itself. */
function knownKeys(schema: z.ZodType, path: JsonPath): readonly string[] {
  type Shape = {
    properties?: Record<string, Shape>;
    additionalProperties?: Shape | false;
    anyOf?: Shape[];
  };
  let shapes = [z.toJSONSchema(schema, { io: 'input' }) as Shape];
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
