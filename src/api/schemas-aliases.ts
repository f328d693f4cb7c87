/** The wire forms of aliases. */
import { z } from 'zod';

const place = {
  hostname: z
    .string()
    .min(1)
    .max(254)
    .describe('A hostname, or a wildcard such as `*.example.com` for every name one label below.'),
  path: z
    .string()
    .max(200)
    .default('/')
    .describe('`/` for all of it, or a path such as `/api` for what is at and below it.'),
};

export const alias = z
  .object({
    ...place,
    url: z.url().optional().describe('Absent for a wildcard.'),
    leadsTo: z.union([
      z.object({ project: z.string(), environment: z.string() }),
      z.object({ deployment: z.string() }),
    ]),
    isDangling: z
      .boolean()
      .describe('What it leads to is gone, or an environment without a release: 404 until then.'),
    team: z.string(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
  })
  .meta({ id: 'Alias' });

export const aliasSet = alias
  .extend({
    isStanding: z.literal(true).optional().describe('It led there already: nothing was done.'),
  })
  .meta({ id: 'AliasSet' });

export const aliasInput = z.object({
  ...place,
  target: z
    .string()
    .min(1)
    .max(400)
    .describe(
      'A project (its production), `project/environment`, a deployment, or a hostname that Berth gave to one of them.',
    ),
});

export const aliasQuery = z.object(place);
