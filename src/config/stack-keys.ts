/** Every key of a stack file with its meaning and bounds: the one source of checks, JSON Schema and reference. */
import { z } from 'zod';
import { isEnvironmentName } from '../core/environment.ts';
import { BOUNDS } from '../core/limits.ts';
import { envValues, text, whole } from './fields.ts';
import { projectName } from './keys.ts';

const teamError = 'a name of a–z, 0–9 and inner "-", 1 to 63 characters';
const teamName = z
  .string({ error: teamError })
  .max(63, { error: teamError })
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, { error: teamError });

const environmentError =
  'a name of an environment: production, staging, preview/<branch>, or a–z, 0–9 and inner "-" (at most 40)';
const environmentName = z
  .string({ error: environmentError })
  .max(220, { error: environmentError })
  .refine(isEnvironmentName, { error: environmentError });

const runsError = 'an object with one of folder, image, deployment and from';
const runs = z
  .strictObject(
    {
      folder: text('a folder, from the one that this file is in', 4096).optional().meta({
        description:
          'Deploys this folder with its own berth.json; relative to the stack file. The same content and configuration is the same deployment: nothing is built again.',
      }),
      image: text('the reference of an image', 300)
        .optional()
        .meta({ description: 'Deploys an existing image.' }),
      deployment: text('the name of a deployment', 300).optional().meta({
        description: 'A deployment that is there: its id, its URL, or the beginning of its id.',
      }),
      from: environmentName.optional().meta({
        description:
          'Promotes: the very same that this other environment of the project runs, after that was changed itself.',
      }),
    },
    { error: runsError },
  )
  .refine((value) => Object.values(value).filter((one) => one !== undefined).length === 1, {
    error: runsError,
  });

const limits = z.strictObject(
  {
    maxConcurrentReqs: whole(BOUNDS.maxConcurrentReqs.min, BOUNDS.maxConcurrentReqs.max)
      .optional()
      .meta({ description: 'Requests one instance serves at the same time.' }),
    duration: whole(BOUNDS.durationMs.min, BOUNDS.durationMs.max, 'ms')
      .optional()
      .meta({ description: 'Milliseconds: the longest request.' }),
    timeout: whole(BOUNDS.timeoutMs.min, BOUNDS.timeoutMs.max, 'ms')
      .optional()
      .meta({ description: 'Milliseconds without work before an instance rests.' }),
  },
  { error: 'an object with maxConcurrentReqs, duration or timeout' },
);

const scale = z
  .strictObject(
    {
      min: whole(BOUNDS.scale.min, BOUNDS.scale.max).meta({
        description: 'So many instances are kept awake.',
      }),
      max: whole(1, BOUNDS.scale.max).meta({ description: 'Never more than so many.' }),
    },
    { error: '{ "min": …, "max": … }' },
  )
  .refine(({ min, max }) => min <= max, { error: 'at most the "max" beside it', path: ['min'] });

const environment = z.strictObject(
  {
    runs: runs.optional().meta({
      description: 'What it runs. Absent: whatever runs there stays.',
    }),
    variables: envValues().optional().meta({
      description:
        'Variables laid over those of the deployment, by value. `@name` stands for the secret `name` of the team, whose value is never in this file; write `@@` for a plain `@` at the beginning.',
    }),
    limits: limits.optional().meta({ description: 'Laid over those of the deployment.' }),
    scale: scale.optional().meta({ description: 'How many instances there are.' }),
  },
  { error: 'an object with runs, variables, limits or scale' },
);

const project = z.strictObject(
  {
    team: teamName.optional().meta({
      description:
        'Team that the project belongs to. It never moves to another. Absent: that of the token, or `default`.',
    }),
    environments: z
      .record(environmentName, environment, { error: 'an object of environments' })
      .optional()
      .meta({ description: 'Environments by name.' }),
    triggers: z
      .strictObject({}, { error: 'an empty object: this is kept for what comes later' })
      .optional()
      .meta({
        description: 'Kept for triggers, which are not there yet: nothing may stand in it.',
      }),
  },
  { error: 'an object with team or environments' },
);

const team = z.strictObject(
  {
    plan: text('the name of a plan', 63)
      .optional()
      .meta({ description: 'Plan of the team (`berth plans`). Absent: whatever it is stays.' }),
  },
  { error: 'an object, perhaps with a plan' },
);

/** The form of `berth.stack.json` and `berth.stack.yaml`. Strict: an unknown key is an error. */
export const stackFileSchema = z
  .strictObject(
    {
      $schema: z
        .string({ error: 'the address of the JSON Schema' })
        .optional()
        .meta({ description: 'Address of the JSON Schema, for editors.' }),
      teams: z
        .record(teamName, team, { error: 'an object of teams' })
        .optional()
        .meta({ description: 'Teams by name. Needs a token for all teams.' }),
      projects: z
        .record(projectName, project, { error: 'an object of projects' })
        .optional()
        .meta({ description: 'Projects by name.' }),
      aliases: z
        .record(
          text('a hostname, perhaps with a path', 460),
          text('a project, project/environment, or a deployment', 400),
          { error: 'an object of aliases and where they lead' },
        )
        .optional()
        .meta({
          description:
            'Hostnames, and paths of them, and where they lead: `"www.example.com/api": "shop/production"`. A project alone means its production; the id of a deployment leads there for ever.',
        }),
    },
    { error: 'an object: { … }' },
  )
  .meta({
    title: 'Berth stack',
    description:
      'berth.stack.json or berth.stack.yaml: what a whole platform is to be, for `berth apply` and `berth diff`. What is absent is not looked at.',
  });

/** What a stack file says, exactly as written. */
export type StackFile = z.infer<typeof stackFileSchema>;
