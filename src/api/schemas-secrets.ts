/** The wire forms of secrets: their values come in and never go out. */
import { z } from 'zod';
import { SECRET_NAME_RULE } from '../core/secret.ts';

const time = z.iso.datetime().describe('ISO 8601, UTC.');
const version = z.number().int().positive().describe('1, 2, 3, …; never given twice.');
const name = z.string().min(1).max(100).describe(`${SECRET_NAME_RULE}.`);
/** Checked by what keeps it, whose words never hold it. */
const value = z.string().describe('At most 65,536 bytes. It is encrypted, and never shown again.');

const environmentUse = z.object({
  project: z.string(),
  environment: z.string(),
  release: z
    .number()
    .int()
    .optional()
    .describe('Its current release; absent: it runs nothing yet, but its variables name it.'),
  version: version.optional(),
});

export const secret = z
  .object({
    team: z.string(),
    name: z.string(),
    version: version.describe('The newest: what a new deployment takes.'),
    createdAt: time.describe('When its newest version was added.'),
    createdBy: z.string(),
    versions: z.array(z.object({ version, createdAt: time, createdBy: z.string() })),
    deployments: z
      .array(z.object({ id: z.string(), version }))
      .describe('Those that start with it, each with the version it was made with.'),
    environments: z.array(environmentUse),
  })
  .meta({ id: 'Secret', description: 'Never with a value.' });

export const secretInput = z.object({ name, value });
export const secretVersionInput = z.object({ value });
export const secretParameters = z.object({ name });
export const secretQuery = z.object({
  team: z.string().max(63).optional().describe('Otherwise that of the token.'),
});
export const secretRemoval = secretQuery.extend({
  force: z.stringbool().optional().describe('Also when it is in use.'),
});

export const rotated = z
  .object({
    secret,
    behind: z
      .array(environmentUse)
      .describe('Environments that run an older version until their next release.'),
  })
  .meta({ id: 'RotatedSecret' });

export const secretsKey = z
  .object({
    state: z
      .enum(['open', 'unused', 'locked'])
      .describe('`locked`: some values cannot be opened. `unused`: nothing is kept yet.'),
    masterKeyId: z
      .string()
      .optional()
      .describe('Names the key in the key file; says nothing of it.'),
    values: z.number().int(),
    locked: z.number().int().describe('Values that the key file does not open.'),
    because: z.string().optional().describe('What is wrong.'),
  })
  .meta({ id: 'SecretsKey' });

export const rotatedKey = z
  .object({ masterKeyId: z.string(), values: z.number().int() })
  .meta({ id: 'RotatedSecretsKey' });
