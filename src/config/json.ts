/** JSON text to a value, with the place of everything in it. Strict: no comments, no trailing commas, no repeated keys. */
import {
  createScanner,
  findNodeAtLocation,
  getNodePath,
  type Node,
  type ParseError,
  parseTree,
} from 'jsonc-parser';
import { BerthError, type Problem } from '../core/errors.ts';
import { formatPath, type JsonPath, type Locate, placeOf, prefix, problemAt } from './place.ts';

/** Deeper than this is no configuration, and would exhaust the stack of the parser. */
const MAX_DEPTH = 64;
const MAX_SYNTAX_PROBLEMS = 10;

/** Values of jsonc-parser's const enums, which vanish from its JavaScript. */
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const END_OF_FILE = 17;

/** What each parse error code of jsonc-parser says to a person. */
const SYNTAX: Readonly<Record<number, string>> = {
  1: 'this is not a JSON value',
  2: 'this is not a number as JSON writes it',
  3: 'a key in double quotes is expected here',
  4: 'a value is expected here',
  5: 'a ":" is expected here',
  6: 'a "," is expected here',
  7: 'a "}" is missing',
  8: 'a "]" is missing',
  9: 'nothing more is expected after the closing "}"',
  10: 'JSON has no comments: remove this one',
  11: 'JSON has no comments: remove this one',
  12: 'the closing quote of this text is missing',
  13: 'this number is not complete',
  14: 'after \\u, four hex digits are expected',
  15: 'there is no such escape; a backslash itself is written \\\\',
  16: 'a line break or control character must be written as an escape such as \\n',
};

export interface ParsedJson {
  readonly value: unknown;
  readonly locate: Locate;
  /** Keys that stand twice in one object, or that no object can have. */
  readonly badKeys: readonly Problem[];
}

/** Throws CONFIG_SYNTAX with up to ten problems, one a line. */
export function parseJson(text: string, fileName: string): ParsedJson {
  if (/^\s*$/.test(text)) {
    throw syntaxError(fileName, text, [
      { offset: 0, message: 'the file is empty; {} is the smallest' },
    ]);
  }
  const deep = tooDeep(text);
  if (deep !== undefined) {
    throw syntaxError(fileName, text, [{ offset: deep, message: `more than ${MAX_DEPTH} levels` }]);
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  if (errors.length > 0 || root === undefined) {
    throw syntaxError(
      fileName,
      text,
      withoutEchoes(text, errors).map((error) => explained(text, error)),
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // Where the tolerant parser lets something pass that is not JSON (a space that is none, say).
    const at = /at position (\d+)/.exec(String(cause))?.[1];
    throw syntaxError(fileName, text, [{ offset: Number(at ?? 0), message: 'this is not JSON' }]);
  }
  const locate: Locate = (path, what = 'value') => placeOf(text, offsetOf(root, path, what));
  return { value, locate, badKeys: findBadKeys(root, text, fileName) };
}

function syntaxError(
  fileName: string,
  text: string,
  found: readonly { readonly offset: number; readonly message: string }[],
): BerthError {
  const problems: Problem[] = [];
  const lines = new Set<number>();
  for (const { offset, message } of found) {
    const place = placeOf(text, offset);
    // One mistake makes the parser stumble several times on its line: the first is the one to mend.
    if (lines.has(place.line) || problems.length >= MAX_SYNTAX_PROBLEMS) continue;
    lines.add(place.line);
    problems.push({ at: '', message: `${prefix(fileName, place)}${message}`, ...place });
  }
  return new BerthError('CONFIG_SYNTAX', {
    detail: problems.map((problem) => problem.message).join('\n'),
    problems,
  });
}

/** One mistake makes the parser stumble again over what comes next: only the first of such a row is to mend. */
function withoutEchoes(text: string, errors: readonly ParseError[]): readonly ParseError[] {
  return errors.filter((error, index) => {
    const before = errors[index - 1];
    if (before === undefined) return true;
    return text.slice(before.offset + before.length, error.offset).trim() !== '';
  });
}

function explained(text: string, error: ParseError): { offset: number; message: string } {
  const { offset, length } = error;
  const code: number = error.error;
  const next = text.slice(offset).trimStart()[0];
  const before = text.slice(0, offset).trimEnd();
  if ((code === 3 || code === 4) && (next === '}' || next === ']')) {
    if (before.endsWith(',')) {
      return { offset: before.length - 1, message: `a "," before "${next}" is one too many` };
    }
  }
  if (text[offset] === "'") return { offset, message: 'JSON text stands in double quotes: "…"' };
  if (code === 1 && /^[\w$-]+\s*:/.test(text.slice(offset))) {
    return { offset, message: 'a key stands in double quotes: "key"' };
  }
  if (code === 6 && /\b0$/.test(before) && /^\d/.test(text.slice(offset))) {
    return { offset: before.length - 1, message: SYNTAX[2] ?? '' };
  }
  // What is missing is missing after the last thing there, not where the parser noticed.
  if (code === 6) return { offset: before.length, message: SYNTAX[6] ?? '' };
  const token = code === 1 ? `: ${text.slice(offset, offset + Math.min(length, 40))}` : '';
  return { offset, message: (SYNTAX[code] ?? 'this is not JSON') + token };
}

function tooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token = scanner.scan(); (token as number) !== END_OF_FILE; token = scanner.scan()) {
    const kind: number = token;
    if (kind === OPEN_BRACE || kind === OPEN_BRACKET) depth += 1;
    if (kind === CLOSE_BRACE || kind === CLOSE_BRACKET) depth -= 1;
    if (depth > MAX_DEPTH) return scanner.getTokenOffset();
  }
  return undefined;
}

function offsetOf(root: Node, path: JsonPath, what: 'value' | 'key'): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node === undefined) continue;
    const isWhole = length === path.length;
    if (isWhole && what === 'key' && node.parent?.type === 'property') return node.parent.offset;
    return node.offset;
  }
  return root.offset;
}

function findBadKeys(root: Node, text: string, fileName: string): readonly Problem[] {
  const problems: Problem[] = [];
  const visit = (node: Node): void => {
    const first = new Map<string, number>();
    for (const property of node.type === 'object' ? (node.children ?? []) : []) {
      const key = String(property.children?.[0]?.value);
      const path = [...getNodePath(node), key];
      const here: Locate = () => placeOf(text, property.offset);
      const report = (message: string) =>
        problems.push(problemAt(fileName, here, path, `${formatPath(path)} ${message}`));
      const before = first.get(key);
      first.set(key, before ?? property.offset);
      if (before !== undefined) {
        report(`is there twice (first in line ${placeOf(text, before).line}): keep one`);
      }
      // It would change the object instead of becoming a key of it, and so get lost.
      if (key === '__proto__') report('cannot be a key');
    }
    node.children?.forEach(visit);
  };
  visit(root);
  return problems;
}
