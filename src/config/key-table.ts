/** Tables of keys, made from a JSON Schema. */
import { BOUNDS } from '../core/limits.ts';
import { SLOT_PATTERN } from './fields.ts';

export const TABLE_HEAD = [
  '| key | type | default | allowed | meaning |',
  '|---|---|---|---|---|',
] as const;

/** The part of JSON Schema that the reference reads. */
export interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly additionalProperties?: Shape | boolean;
  readonly properties?: Readonly<Record<string, Shape>>;
}

/** A row for a key, and one for each below it. `<name>` stands for the names that people give. */
export function rowsOf(name: string, shape: Shape): readonly string[] {
  const row = `| \`${name}\` | ${cell(typeOf(shape))} | ${cell(defaultOf(shape))} | ${cell(allowedOf(shape))} | ${cell(shape.description ?? '')} |`;
  const parts = Object.entries(shape.properties ?? {}).flatMap(([key, part]) =>
    rowsOf(`${name}.${key}`, part),
  );
  const named = shape.additionalProperties;
  const below = typeof named === 'object' ? Object.entries(named.properties ?? {}) : [];
  return [row, ...parts, ...below.flatMap(([key, part]) => rowsOf(`${name}.<name>.${key}`, part))];
}

function typeOf(shape: Shape): string {
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map(typeOf))].join(' or ');
  if (shape.enum !== undefined || shape.const !== undefined) return shape.type ?? 'value';
  if (shape.type === 'integer') return 'whole number';
  if (shape.type === 'array') return `array of ${plural(typeOf(shape.items ?? {}))}`;
  return shape.type ?? 'any';
}

function plural(type: string): string {
  return type === 'any' ? 'values' : `${type}s`;
}

function defaultOf(shape: Shape): string {
  return shape.default === undefined ? '' : `\`${JSON.stringify(shape.default)}\``;
}

function allowedOf(shape: Shape): string {
  if (shape.pattern === SLOT_PATTERN) {
    return `at least c${BOUNDS.slotCpus.min} and m${BOUNDS.slotMemoryMiB.min}, at most the machine`;
  }
  if (shape.anyOf !== undefined) {
    return [...new Set(shape.anyOf.map(allowedOf).filter((text) => text !== ''))].join('; ');
  }
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${value}\``).join(', ');
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const)}\``;
  if (shape.minimum !== undefined && shape.maximum !== undefined) {
    return `${shape.minimum}–${shape.maximum}`;
  }
  if (shape.maxItems !== undefined) return `at most ${shape.maxItems}`;
  if (shape.maxLength !== undefined) return `at most ${shape.maxLength} characters`;
  return '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
