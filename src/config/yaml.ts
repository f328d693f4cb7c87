/** YAML text to a value, with the place of everything in it: one document of YAML 1.2, plain data only. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { BerthError, type Problem } from '../core/errors.ts';
import type { ParsedJson } from './json.ts';
import { formatPath, type JsonPath, type Locate, type Place, prefix, problemAt } from './place.ts';

/** Repeated use of an anchor multiplies a file: more than this is an attack or a mistake. */
const MAX_ALIASES = 100;
const MAX_PROBLEMS = 10;

/** Throws CONFIG_SYNTAX with up to ten problems, one a line. */
export function parseYaml(text: string, fileName: string): ParsedJson {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (
    found: readonly { readonly offset: number; readonly message: string }[],
  ): never => {
    const problems = found.slice(0, MAX_PROBLEMS).map(({ offset, message }): Problem => {
      const place = placeAt(offset);
      return { at: '', message: `${prefix(fileName, place)}${message}`, ...place };
    });
    throw new BerthError('CONFIG_SYNTAX', {
      detail: problems.map(({ message }) => message).join('\n'),
      problems,
    });
  };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      // Repeated keys are told below, in the words of every other file.
      uniqueKeys: false,
    });
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length > 0) {
      refuse(wrong.map(({ pos, message }) => ({ offset: pos[0], message: inOurWords(message) })));
    }
    if (document.contents === null) {
      return refuse([{ offset: 0, message: 'the file is empty; {} is the smallest' }]);
    }
    visit(document, {
      Alias(_, alias) {
        if (alias.resolve(document)) return;
        refuse([{ offset: startOf(alias) ?? 0, message: `there is no anchor ${alias.source}` }]);
      },
    });
    const locate: Locate = (path, what = 'value') => placeAt(offsetOf(document, path, what));
    const badKeys = findBadKeys(document, placeAt, fileName);
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { value, locate, badKeys };
  } catch (error) {
    if (error instanceof BerthError) throw error;
    // Too many levels for the stack, or too many aliases.
    return refuse([{ offset: 0, message: inOurWords(String(error)) }]);
  }
}

function inOurWords(message: string): string {
  if (message.includes('call stack')) return 'it is nested too deeply';
  return message.replace(/^\w*Error: /, '');
}

function offsetOf(document: Document.Parsed, path: JsonPath, what: 'value' | 'key'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    const inside: unknown = isAlias(node) ? node.resolve(document) : node;
    let next: unknown;
    if (isMap(inside)) {
      const pair = inside.items.find(({ key }) => keyText(key) === String(part));
      if (!pair) break;
      const isWanted = what === 'key' && index === path.length - 1;
      next = pair.value;
      offset = startOf(isWanted ? pair.key : next) ?? startOf(pair.key) ?? offset;
    } else if (isSeq(inside)) {
      next = inside.items[Number(part)];
      offset = startOf(next) ?? offset;
    }
    if (next === undefined) break;
    node = next;
  }
  return offset;
}

function findBadKeys(
  document: Document.Parsed,
  placeAt: (offset: number) => Place,
  fileName: string,
): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const first = new Map<string, number>();
      for (const { key } of map.items) {
        const name = keyText(key);
        const offset = startOf(key) ?? 0;
        const path = [...pathOf(ancestors), name];
        const report = (message: string) =>
          problems.push(
            problemAt(fileName, () => placeAt(offset), path, `${formatPath(path)} ${message}`),
          );
        const before = first.get(name);
        first.set(name, before ?? offset);
        if (before !== undefined) {
          report(`is there twice (first in line ${placeAt(before).line}): keep one`);
        }
        // It would change the object instead of becoming a key of it, and so get lost.
        if (name === '__proto__') report('cannot be a key');
      }
    },
  });
  return problems;
}

/** The keys that lead to a node; positions in lists are left out. */
function pathOf(ancestors: readonly unknown[]): readonly string[] {
  return ancestors.flatMap((one) =>
    typeof one === 'object' && one !== null && 'key' in one ? [keyText(one.key)] : [],
  );
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
