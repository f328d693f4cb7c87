/** The wire forms of environments and releases. */
import { z } from 'zod';
import { envValues } from '../config/schema.ts';
import { ENVIRONMENT_NAME_RULE, isEnvironmentName } from '../core/environment.ts';
import { BOUNDS } from '../core/limits.ts';

const time = z.iso.datetime().describe('ISO 8601, UTC.');
const projectName = z.string().min(1).max(BOUNDS.projectNameChars);

const environmentName = z
  .string()
  .max(220)
  .refine(isEnvironmentName, { error: ENVIRONMENT_NAME_RULE })
  .describe('`production`, `staging`, `preview/<branch>`, or lower-case letters, digits, hyphens.');

export const projectParameters = z.object({ project: projectName });
export const environmentParameters = z.object({
  project: projectName,
  environment: environmentName,
});

const scale = z.object({
  min: z.number().int().min(BOUNDS.scale.min).max(BOUNDS.scale.max),
  max: z.number().int().min(1).max(BOUNDS.scale.max),
});

const limits = z.object({
  maxConcurrentReqs: z
    .number()
    .int()
    .min(BOUNDS.maxConcurrentReqs.min)
    .max(BOUNDS.maxConcurrentReqs.max),
  duration: z
    .number()
    .int()
    .min(BOUNDS.durationMs.min)
    .max(BOUNDS.durationMs.max)
    .describe('In ms.'),
  timeout: z.number().int().min(BOUNDS.timeoutMs.min).max(BOUNDS.timeoutMs.max).describe('In ms.'),
});

const settings = z.object({
  variables: z.array(z.string()).describe('Names, laid over those of the deployment.'),
  limits: limits.partial(),
  scale: scale.optional().describe('Absent: what the deployment’s own configuration says.'),
});

export const release = z
  .object({
    project: z.string(),
    environment: z.string(),
    number: z.number().int().positive(),
    kind: z.enum([
      'deploy',
      'promote',
      'rollback',
      'variables',
      'secrets',
      'scale',
      'limits',
      'hostnames',
    ]),
    state: z.enum(['preparing', 'trial', 'current', 'superseded', 'failed']),
    base: z.string().describe('The deployment that was released.'),
    deployment: z.string().describe('What runs: the base with the settings of the environment.'),
    url: z.url().describe('Of the environment.'),
    settings,
    secrets: z.record(z.string(), z.number().int()).describe('Versions of the secrets it names.'),
    percent: z.number().optional().describe('Share of clients while it is on trial.'),
    endedTrial: z
      .number()
      .int()
      .optional()
      .describe(
        'Only in the answer to what was asked: the release that was on trial, and is taken back by it.',
      ),
    because: z.string().describe('What was done and why, and why it failed if it did.'),
    createdAt: time,
    createdBy: z.string(),
  })
  .meta({ id: 'Release', description: 'Never with values of variables.' });

export const released = release
  .extend({
    isStanding: z
      .literal(true)
      .optional()
      .describe('It is current and runs just this already: no release was made.'),
  })
  .meta({ id: 'Released' });

export const environment = z
  .object({
    project: z.string(),
    name: z.string(),
    url: z.url(),
    current: release.optional().describe('Absent: nothing was released to it yet.'),
    latest: z.number().int().nonnegative().describe('The highest number given so far.'),
    settings,
    paused: z.string().optional().describe('Why automatic deploys wait.'),
  })
  .meta({ id: 'Environment' });

export const releasesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).optional().describe('At most so many.'),
  before: z.coerce.number().int().min(1).optional().describe('Only those with a lower number.'),
});

const why = z.string().max(500).optional().describe('Shown in the history.');

export const releaseInput = z
  .object({
    deployment: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .describe('An id, a hostname or URL, or the beginning of an id.'),
    from: z
      .object({
        environment: environmentName,
        number: z.number().int().positive().optional().describe('Absent: its current release.'),
      })
      .optional()
      .describe('Instead of a deployment: what this environment runs, or ran.'),
    percent: z
      .number()
      .int()
      .min(1)
      .max(99)
      .optional()
      .describe(
        'Only this share of the clients gets it, each always the same; it is taken back by itself when it does worse. Released again without it, everybody does.',
      ),
    why,
    isAutomatic: z
      .boolean()
      .optional()
      .describe('Nobody asked by hand: refused while the environment is paused.'),
    isPromotion: z
      .boolean()
      .optional()
      .describe('A promotion of what was deployed before: the history says so, and where it ran.'),
  })
  .refine(({ deployment, from }) => (deployment === undefined) !== (from === undefined), {
    error: 'needs either `deployment` or `from`',
  });

export const rollbackInput = z.object({
  to: z.number().int().positive().optional().describe('Absent: the previous different one.'),
  why,
});

export const scaleInput = scale
  .partial()
  .extend({ why })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    error: 'has a min that is greater than its max',
  });

const own = 'Null: what the deployment’s own configuration says.';
export const limitsInput = z.object({
  maxConcurrentReqs: limits.shape.maxConcurrentReqs.nullable().optional().describe(own),
  duration: limits.shape.duration.nullable().optional().describe(`In ms. ${own}`),
  timeout: limits.shape.timeout.nullable().optional().describe(`In ms. ${own}`),
  why,
});

export const settingsChanged = z
  .object({
    release: release.optional().describe('Absent: nothing changed, or nothing is released yet.'),
    environment,
  })
  .meta({ id: 'SettingsChanged' });

export const environmentChange = z
  .object({
    deployment: releaseInput.shape.deployment,
    from: environmentName.optional().describe('Instead of a deployment: what this one runs.'),
    set: envValues()
      .default({})
      .describe('Variables. `@name` names a secret, `@@text` is a plain `@text`.'),
    unset: z.array(z.string().max(256)).max(500).default([]).describe('Names of variables.'),
    limits: limitsInput.omit({ why: true }).default({}),
    scale: scale
      .refine(({ min, max }) => min <= max, { error: 'has a min that is greater than its max' })
      .optional(),
    seen: z
      .number()
      .int()
      .nonnegative()
      .optional()
      .describe(
        'Number of the current release when this was decided, 0 for none: refused with PLAN_OUTDATED when it is another one.',
      ),
    why,
  })
  .refine(({ deployment, from }) => deployment === undefined || from === undefined, {
    error: 'needs `deployment` or `from`, not both',
  });
