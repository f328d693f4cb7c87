/** The reference of stack files, made from their schema: for editors as JSON Schema, for people as a page. */
import { z } from 'zod';
import { rowsOf, type Shape, TABLE_HEAD } from './key-table.ts';
import { stackFileSchema } from './stack-keys.ts';

/** JSON Schema (draft 2020-12) of a stack, without `$id`: wherever it lies, it can be named. */
export function stackJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, title, description, ...rest } = z.toJSONSchema(stackFileSchema, {
    io: 'input',
  });
  return { $schema, title, description, ...rest };
}

/** The page about stack files. */
export function stackReference(): string {
  const { properties = {} } = stackJsonSchema() as Shape;
  return `${[
    '# Stacks: berth.stack.json and berth.stack.yaml',
    '',
    'Made from the code by `npm run docs`; change `src/config/stack-keys.ts` instead. What they are for: [stacks](../stacks.md).',
    '',
    'Strict JSON, or one document of YAML 1.2. Every key is optional, and what is absent is not looked at. An unknown key, a',
    'repeated one and a value out of range are errors that name file, line and column.',
    '',
    'For completion in an editor, let `$schema` name a copy of [berth.stack.schema.json](berth.stack.schema.json).',
    '',
    ...TABLE_HEAD,
    ...Object.entries(properties).flatMap(([name, shape]) => rowsOf(name, shape)),
  ].join('\n')}\n`;
}
