/** A list as people read it: a header, aligned columns, and a last column that gives way on a narrow terminal. */
import { stripVTControlCharacters } from 'node:util';
import { fit, table } from './format.ts';
import type { Output } from './output.ts';

/** Narrower than this the last column says nothing: then lines may wrap. */
const LEAST_COLUMNS = 20;

/** Prints rows under a header; the last column is beside the point, so it is dim and cut to what room there is. */
export function printTable(
  output: Output,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const last = header.length - 1;
  const all = [header, ...rows];
  const firsts = table(all.map((row) => [...row.slice(0, last), '|']));
  const used = Math.max(0, ...(firsts[0] ? [lengthOf(firsts[0]) - 1] : []));
  const room = Math.max(output.columns - used, LEAST_COLUMNS);
  all.forEach((row, index) => {
    const first = (firsts[index] ?? '').slice(0, -1);
    const rest = fit(row[last] ?? '', room);
    const line =
      index === 0 ? output.style('dim', first + rest) : first + output.style('dim', rest);
    output.print(line.trimEnd());
  });
}

/** Name and value on each line, the name dim. */
export function printFields(output: Output, fields: readonly (readonly [string, string])[]): void {
  for (const line of table(fields.map(([name, value]) => [output.style('dim', name), value]))) {
    output.print(line);
  }
}

/** Keys and values of a configuration, one line each. */
export function fieldsOf(configuration: object): readonly (readonly [string, string])[] {
  return Object.entries(configuration).map(
    ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
}

/** The width of a text without its colour codes. */
function lengthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
