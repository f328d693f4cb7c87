/** The reference of the API and the types of the client, made from the schemas that validate. */
import type {
  OpenAPI3,
  OperationObject,
  ParameterObject,
  ReferenceObject,
} from 'openapi-typescript';
import type { DeclaredRoute } from './actor.ts';
import { createApi } from './api.ts';
import type { ApiNeeds, ServerFacts } from './needs.ts';

/** A page that is made from the code; `path` is relative to the root of the repository. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Needs `openapi-typescript`, which is there for development only. */
export async function documents(version: string): Promise<readonly Document[]> {
  const { document, routes } = await openApiDocument(version);
  const { default: openapiTs, astToString } = await import('openapi-typescript');
  const types = astToString(
    await openapiTs(structuredClone(document), { alphabetize: true, defaultNonNullable: false }),
  );
  return [
    { path: 'docs/reference/openapi.json', text: `${JSON.stringify(document, null, 2)}\n` },
    { path: 'docs/reference/api.md', text: reference(document, routes) },
    {
      path: 'src/client/schema.d.ts',
      text: `/** The types of the API, made from its OpenAPI document by \`npm run docs\`. */\n\n${types}`,
    },
  ];
}

/** Only schemas are looked at: no route is asked, so nothing else has to be there. */
async function openApiDocument(
  version: string,
): Promise<{ readonly document: OpenAPI3; readonly routes: readonly DeclaredRoute[] }> {
  const facts = () => ({ version }) as ServerFacts;
  const routes: DeclaredRoute[] = [];
  const app = await createApi({ facts } as ApiNeeds, (route) => routes.push(route));
  try {
    return { document: app.swagger() as unknown as OpenAPI3, routes };
  } finally {
    await app.close();
  }
}

function reference(document: OpenAPI3, routes: readonly DeclaredRoute[]): string {
  const lines = [
    '# API',
    '',
    'Made from the code by `npm run docs`. The complete description is [openapi.json](openapi.json), which a server also',
    'answers at `/api/v1/openapi.json`. It is reached on the platform hostnames (`berth.<domain>`, `127.0.0.1`).',
    'All but health, login and openapi.json need `Authorization: Bearer <token>`: the one in the file `token` of the data',
    'folder, or one that `berth login` or `berth token add` gave. Each route says which verb it needs; roles have verbs',
    '(viewer: read; member: also audit, deploy, release, configure, remove; owner: also team; over all teams also metrics',
    'and operate), and a token may be narrowed to some. `serve --open-metrics` lets `/metrics` do without. Errors are `application/problem+json` (RFC 9457) with a `code` that has [a page of its own](../errors).',
    '',
  ];
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = 'get' in item || method in item ? operationOf(item, method) : undefined;
      if (operation) lines.push(...section(method, path, operation, verbOf(routes, method, path)));
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function operationOf(item: object, method: string): OperationObject | undefined {
  return (item as Readonly<Record<string, OperationObject | undefined>>)[method];
}

/** `deploy`, `read or deploy`; nothing for a route that any token opens, or none is needed for. */
function verbOf(routes: readonly DeclaredRoute[], method: string, path: string): string {
  const verb = routes.find(
    (route) =>
      route.method.toLowerCase() === method && route.path.replace(/:(\w+)/g, '{$1}') === path,
  )?.verb;
  if (verb === undefined || verb === 'anyone') return '';
  return [verb].flat().join(' or ');
}

function section(
  method: string,
  path: string,
  operation: OperationObject,
  verb: string,
): readonly string[] {
  const lines = [`## ${method.toUpperCase()} ${path}`, ''];
  lines.push(`${operation.summary ?? ''}.`, '');
  if (operation.description) lines.push(operation.description, '');
  if (verb !== '') lines.push(`Needs the verb \`${verb}\`.`, '');
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
