/** The reference of the API and the types of the client, made from the schemas that validate. */
import type {
  OpenAPI3,
  OperationObject,
  ParameterObject,
  ReferenceObject,
} from 'openapi-typescript';
import { createApi } from './api.ts';
import type { ApiNeeds, ServerFacts } from './needs.ts';

/** A page that is made from the code; `path` is relative to the root of the repository. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

const METHODS = ['get', 'post', 'put', 'delete'] as const;

/** Needs `openapi-typescript`, which is there for development only. */
export async function documents(version: string): Promise<readonly Document[]> {
  const document = await openApiDocument(version);
  const { default: openapiTs, astToString } = await import('openapi-typescript');
  const types = astToString(
    await openapiTs(structuredClone(document), { alphabetize: true, defaultNonNullable: false }),
  );
  return [
    { path: 'docs/reference/openapi.json', text: `${JSON.stringify(document, null, 2)}\n` },
    { path: 'docs/reference/api.md', text: reference(document) },
    {
      path: 'src/client/schema.d.ts',
      text: `/** The types of the API, made from its OpenAPI document by \`npm run docs\`. */\n\n${types}`,
    },
  ];
}

/** Only schemas are looked at: no route is asked, so nothing else has to be there. */
async function openApiDocument(version: string): Promise<OpenAPI3> {
  const facts = () => ({ version }) as ServerFacts;
  const app = await createApi({ facts } as ApiNeeds);
  try {
    return app.swagger() as unknown as OpenAPI3;
  } finally {
    await app.close();
  }
}

function reference(document: OpenAPI3): string {
  const lines = [
    '# API',
    '',
    'Made from the code by `npm run docs`. The complete description is [openapi.json](openapi.json), which a server also',
    'answers at `/api/v1/openapi.json`. It is reached on the platform hostnames (`berth.<domain>`, `127.0.0.1`).',
    'All but health and openapi.json need `Authorization: Bearer <token>`; the token is in the file `token` of the data',
    'folder. `serve --open-metrics` lets `/metrics` do without. Errors are `application/problem+json` (RFC 9457) with a `code` that has [a page of its own](../errors).',
    '',
  ];
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = 'get' in item || method in item ? operationOf(item, method) : undefined;
      if (operation) lines.push(...section(method, path, operation));
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function operationOf(item: object, method: string): OperationObject | undefined {
  return (item as Readonly<Record<string, OperationObject | undefined>>)[method];
}

function section(method: string, path: string, operation: OperationObject): readonly string[] {
  const lines = [`## ${method.toUpperCase()} ${path}`, ''];
  lines.push(`${operation.summary ?? ''}.`, '');
  if (operation.description) lines.push(operation.description, '');
  const parameters = (operation.parameters ?? []).filter(isParameter);
  if (parameters.length > 0) {
    lines.push('| parameter | in | meaning |', '|---|---|---|');
    for (const parameter of parameters) {
      const { name, required } = parameter;
      lines.push(
        `| \`${name}\`${required ? '' : ' (optional)'} | ${parameter.in} | ${meaning(parameter)} |`,
      );
    }
    lines.push('');
  }
  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    if (status.endsWith('XX') || '$ref' in response) continue;
    const types = Object.keys(response.content ?? {}).map((type) => `\`${type}\``);
    const description = response.description === 'Default Response' ? '' : response.description;
    lines.push(
      `- **${status}** ${[description, types.join(' or ')].filter(Boolean).join(' ')}`.trimEnd(),
    );
  }
  lines.push('');
  return lines;
}

function isParameter(parameter: ParameterObject | ReferenceObject): parameter is ParameterObject {
  return 'name' in parameter;
}

function meaning({ description, schema }: ParameterObject): string {
  const said = description ?? (schema && 'description' in schema ? schema.description : undefined);
  return (said ?? '').replaceAll('|', '\\|');
}
