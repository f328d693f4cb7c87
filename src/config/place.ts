/** Where in a configuration file something stands, and how a problem says so. */
import type { Problem } from '../core/errors.ts';

/** Keys and array positions from the root. */
export type JsonPath = readonly (string | number)[];

/** Both 1-based; columns count UTF-16 code units, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place of the value at a path (of its key with `key`), or of the nearest thing around it that is there. */
export type Locate = (path: JsonPath, what?: 'value' | 'key') => Place;

/** `['limits', 'duration']` → `limits.duration`; `['files', 0]` → `files[0]`; the root is the empty string. */
export function formatPath(path: JsonPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[\w$-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** A problem whose message begins with `file:line:column: ` as far as they are known. */
export function problemAt(
  fileName: string | undefined,
  locate: Locate | undefined,
  path: JsonPath,
  message: string,
  what: 'value' | 'key' = 'value',
): Problem {
  const place = locate?.(path, what);
  return {
    at: formatPath(path),
    message: `${prefix(fileName, place)}${message}`,
    ...place,
  };
}

/** `berth.json:4:15: `, or as much of it as is known. */
export function prefix(fileName: string | undefined, place: Place | undefined): string {
  if (fileName === undefined) return '';
  return place === undefined ? `${fileName}: ` : `${fileName}:${place.line}:${place.column}: `;
}

/** The place of a character of a text. */
export function placeOf(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (const match of text.matchAll(/\r\n|\n|\r/g)) {
    const next = match.index + match[0].length;
    if (next > offset) break;
    line += 1;
    start = next;
  }
  return { line, column: offset - start + 1 };
}
