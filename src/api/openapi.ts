/** The OpenAPI document, made from the schemas that validate. */
import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Before the routes: it notes them as they are added. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Berth',
        version,
        description: 'Everything that `berth` and the dashboard do goes through this API.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      withoutUnused(jsonSchemaTransformObject(document) as Record<string, unknown>),
  });
}

/** Each schema is offered in the form for requests and in the one for answers: those that nothing refers to go. */
function withoutUnused(document: Record<string, unknown>): Record<string, unknown> {
  const components = document['components'] as { schemas?: Record<string, unknown> } | undefined;
  let schemas = components?.schemas ?? {};
  for (;;) {
    const text = JSON.stringify({ ...document, components: { ...components, schemas } });
    const used = Object.entries(schemas).filter(([name]) =>
      text.includes(`"#/components/schemas/${name}"`),
    );
    if (used.length === Object.keys(schemas).length) break;
    schemas = Object.fromEntries(used);
  }
  return { ...document, components: { ...components, schemas } };
}
