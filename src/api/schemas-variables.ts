/** The wire forms of variables of an environment. */
import { z } from 'zod';
import { envValues } from '../config/schema.ts';
import { release } from './schemas-releases.ts';

const why = z.string().min(1).max(200).optional().describe('Stands in the history.');

export const variables = z
  .record(z.string(), z.string())
  .describe('`@name` names a secret, `@@text` is a plain `@text`.')
  .meta({ id: 'Variables' });

export const variablesInput = z.object({
  set: envValues().default({}).describe('`@name` names a secret, `@@text` is a plain `@text`.'),
  unset: z.array(z.string().max(256)).max(500).default([]),
  why,
});

export const secretsInput = z.object({ why });

export const settingsRelease = z
  .object({
    release: release
      .optional()
      .describe('Absent: nothing changed, or nothing is released there yet: then they wait.'),
  })
  .meta({ id: 'SettingsRelease' });
