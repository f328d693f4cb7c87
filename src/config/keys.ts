/** Every key of berth.json (and of a 2018 now.json) with its meaning and bounds: the one source of checks, JSON Schema and reference. */
import { z } from 'zod';
import {
  BOUNDS,
  DEFAULT_LIMITS,
  DEFAULT_PORT,
  DEFAULT_SCALE,
  DEFAULT_SLOT,
  formatSlot,
} from '../core/limits.ts';
import { env, flag, insidePath, oneOf, scale, slot, text, whole } from './fields.ts';

const nameError = `a name of a–z, 0–9 and "-", 1 to ${BOUNDS.projectNameChars} characters, with no "-" at either end`;
export const projectName = z
  .string({ error: nameError })
  .max(BOUNDS.projectNameChars, { error: nameError })
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, { error: nameError });

const hostname = text('a hostname such as "app.example.com"', 253).regex(/^[A-Za-z0-9.*_-]+$/, {
  error: 'a hostname such as "app.example.com"',
});

const limits = z.strictObject(
  {
    maxConcurrentReqs: whole(BOUNDS.maxConcurrentReqs.min, BOUNDS.maxConcurrentReqs.max)
      .optional()
      .meta({
        default: DEFAULT_LIMITS.maxConcurrentReqs,
        description:
          'Requests (and WebSockets) one instance serves at the same time; one more starts another instance.',
      }),
    duration: whole(BOUNDS.durationMs.min, BOUNDS.durationMs.max, 'ms').optional().meta({
      default: DEFAULT_LIMITS.durationMs,
      description:
        'Milliseconds: the longest a request may take, and the running age at which an instance is replaced by a fresh one.',
    }),
    timeout: whole(BOUNDS.timeoutMs.min, BOUNDS.timeoutMs.max, 'ms').optional().meta({
      default: DEFAULT_LIMITS.timeoutMs,
      description:
        'Milliseconds without a request or open socket before an instance leaves `running` (see `idle`).',
    }),
  },
  { error: 'an object with maxConcurrentReqs, duration or timeout' },
);

const build = z.strictObject(
  {
    env: env().optional().meta({
      description:
        'Build arguments: what `ARG NAME` in the Dockerfile receives. They stay readable in the image: none can be a secret.',
    }),
    dockerfile: insidePath('the path of the Dockerfile').optional().meta({
      default: 'Dockerfile',
      description:
        'Path of the Dockerfile inside the folder. Without one, the kind of folder is recognised.',
    }),
  },
  { error: 'an object with env or dockerfile' },
);

const github = z.strictObject(
  {
    enabled: flag().optional().meta({ description: 'Whether pushes are deployed.' }),
    aliasing: flag()
      .optional()
      .meta({ description: 'Whether the default branch moves the alias.' }),
    autoAlias: flag()
      .optional()
      .meta({ description: 'Whether the default branch moves the alias.' }),
    autoJobCancelation: flag()
      .optional()
      .meta({ description: 'Whether a newer push ends the build of an older one.' }),
    silent: flag().optional().meta({ description: 'Whether it writes no comments.' }),
  },
  { error: 'an object with enabled, aliasing, autoAlias, autoJobCancelation or silent' },
);

const service = z.strictObject(
  { port: whole(1, 65_535).optional().meta({ description: 'The same as `port`.' }) },
  { error: 'an object with a port' },
);

const wakePatterns = z
  .array(
    text('a path pattern', 1024).regex(/^[/*][^\s\u0000-\u001f\u007f#?]*$/, {
      error: 'a path pattern beginning with "/" or "*", without spaces, "?" or "#"',
    }),
    { error: 'an array of path patterns such as "/api/*"' },
  )
  .min(1, { error: 'an array of at least one path pattern' })
  .max(100, { error: 'an array of at most 100 path patterns' });

const wake = z.strictObject(
  {
    methods: z
      .array(
        text('a method', 32).regex(/^[A-Z-]+$/, { error: 'a method in capitals such as "GET"' }),
        { error: 'an array of methods such as "GET"' },
      )
      .min(1, { error: 'an array of at least one method' })
      .max(20, { error: 'an array of at most 20 methods' })
      .optional()
      .meta({ description: 'Only these methods wake. Default: all.' }),
    paths: wakePatterns.optional().meta({
      description:
        'Only these paths wake. `*` stands for any characters, "/" included; the query is not looked at. Default: all.',
    }),
    ignorePaths: wakePatterns.optional().meta({
      description: 'These paths do not wake, whatever `paths` says, for example `["*.php"]`.',
    }),
    ignoreUserAgents: z
      .array(text('a part of a user agent', 256), { error: 'an array of parts of user agents' })
      .min(1, { error: 'an array of at least one part of a user agent' })
      .max(100, { error: 'an array of at most 100 parts of user agents' })
      .optional()
      .meta({
        description:
          'Clients whose user agent contains one of these do not wake; case does not matter.',
      }),
  },
  { error: 'an object with methods, paths, ignorePaths or ignoreUserAgents' },
);

const anyObject = (what: string) =>
  z.record(z.string(), z.unknown(), { error: `an object of ${what}` });

/** The form of `berth.json`. Strict: an unknown key is an error. Nothing is transformed: what passes is what was written. */
export const configFileSchema = z
  .strictObject(
    {
      $schema: z
        .string({ error: 'the address of the JSON Schema' })
        .optional()
        .meta({ description: 'Address of the JSON Schema, for editors.' }),
      name: projectName.optional().meta({
        description:
          'Name of the project, part of every hostname. Default: the name of the folder.',
      }),
      slot: slot()
        .optional()
        .meta({
          default: formatSlot(DEFAULT_SLOT),
          description:
            'What one instance may use: `c<cores>-m<MiB>`, a CPU share and a hard memory limit. `berth slots` shows what fits this machine.',
        }),
      limits: limits.optional().meta({ description: 'Concurrency and time limits.' }),
      scale: scale()
        .optional()
        .meta({
          default: { min: DEFAULT_SCALE.min, max: DEFAULT_SCALE.max },
          description:
            'Most instances at once (`max`). `min` belongs to an environment and is only kept for it: `"idle": "run"` keeps one instance of a deployment running. The 2018 form, one object for each region, counts with its largest `min` and `max`; `"auto"` is the default maximum.',
        }),
      idle: oneOf('freeze', 'stop', 'run').optional().meta({
        default: 'freeze',
        description:
          'What an instance does after `limits.timeout` without work: rest frozen (wakes in a few milliseconds), be stopped, or keep running.',
      }),
      env: env().optional().meta({
        description:
          'Variables of the running app. As an array of names, each value is given with `--env NAME=value`. `@name` stands for the secret `name` (`berth secrets`); write `@@` (or `\\@`) for a plain `@` at the beginning.',
      }),
      dotenv: z
        .union([flag(), insidePath('the dotenv file')], {
          error: 'true, false, or the path of a dotenv file inside the folder',
        })
        .optional()
        .meta({
          default: false,
          description:
            'Read more variables from `.env`, or from the file named, when deploying. `env` wins over it.',
        }),
      build: build.optional().meta({ description: 'How the image is built.' }),
      port: whole(1, 65_535)
        .optional()
        .meta({
          description: `The port the app listens on: the value of \`PORT\`, preferred when several ports listen. Default: \`PORT\` is ${DEFAULT_PORT} and any port is found.`,
        }),
      protocol: oneOf('http1', 'h2c').optional().meta({
        default: 'http1',
        description:
          'What the app speaks: HTTP/1.1, or `h2c`, HTTP/2 without TLS, which gRPC needs. Clients may speak either.',
      }),
      healthPath: text('a path beginning with "/"', 1024)
        .regex(/^\/[^\s\u0000-\u001f\u007f#]*$/, {
          error: 'a path beginning with "/", without spaces or "#"',
        })
        .optional()
        .meta({
          description:
            'Path that must answer 2xx or 3xx before a new deployment counts as good. Default: a listening port is enough.',
        }),
      command: z
        .array(text('a word of the command', 4096), { error: 'an array of words' })
        .min(1, { error: 'an array of at least one word' })
        .max(256, { error: 'an array of at most 256 words' })
        .optional()
        .meta({ description: "Replaces the image's command, word by word (no shell)." }),
      wake: wake.optional().meta({
        description:
          'Which requests may wake or start an instance. Others are served while one is awake and free, and else get 503 `ASLEEP`. All rules have to agree. Default: every request wakes.',
      }),
      files: z
        .array(insidePath('a file or folder to upload'), {
          error: 'an array of files and folders',
        })
        .max(10_000, { error: 'an array of at most 10000 files and folders' })
        .optional()
        .meta({
          description:
            'Upload only these files and folders (and the Dockerfile), even those that .gitignore, .berthignore or .nowignore name.',
        }),
      alias: z
        .union([hostname, z.array(hostname, { error: 'an array of hostnames' }).max(64)], {
          error: 'a hostname, or an array of at most 64 hostnames',
        })
        .optional()
        .meta({ description: 'Hostnames of the project besides its own.' }),
      regions: z
        .array(text('a region', 64), { error: 'an array of region names' })
        .optional()
        .meta({
          description: 'Where to run. One machine is one region: every name stands for it.',
        }),
      type: oneOf('docker', 'npm', 'static').optional().meta({
        description:
          'Kind of folder. `docker` needs a Dockerfile; `npm` and `static` recognise the folder as such even if it has one. Default: the Dockerfile if there is one.',
      }),
      service: service.optional().meta({ description: 'The 2018 way to write `port`.' }),
      public: flag().optional().meta({
        description: 'From now.json: whether the source may be seen. No effect here: it never is.',
      }),
      version: z
        .literal(1, {
          error:
            '1, or left out: version 2 (builds, routes) is another platform, and Berth runs Dockerfiles',
        })
        .optional()
        .meta({ description: 'From now.json: version of the platform. Only 1 has Dockerfiles.' }),
      features: z
        .record(
          z.string(),
          z.union([z.string(), z.number(), z.boolean()], {
            error: 'text, a number, true or false',
          }),
          { error: 'an object of features' },
        )
        .optional()
        .meta({
          description:
            'From now.json: feature switches. No effect here: everything is what `"cloud": "v2"` was.',
        }),
      forwardNpm: flag().optional().meta({
        description:
          'From now.json: send npm credentials along. No effect here: private packages need a build secret.',
      }),
      engines: anyObject('engine versions').optional().meta({
        description:
          'From now.json: version of Node.js for folders without a Dockerfile. No effect here: the recognised Dockerfile says which.',
      }),
      static: anyObject('static options').optional().meta({
        description: 'From now.json: options of the static server. No effect here.',
      }),
      github: github
        .optional()
        .meta({ description: 'From now.json: the GitHub integration. No effect here.' }),
      api: z
        .string({ error: 'an address' })
        .optional()
        .meta({ description: 'From now.json: address of the API. No effect here.' }),
      project: z
        .string({ error: 'an id' })
        .optional()
        .meta({ description: 'From now.json: id of the project. No effect here.' }),
    },
    { error: 'an object: { … }' },
  )
  .refine(({ port, service: other }) => !port || !other?.port || port === other.port, {
    error: 'the same as service.port (better: remove service)',
    path: ['port'],
  })
  .meta({
    title: 'Berth configuration',
    description: 'berth.json, or an unchanged now.json of 2018: how a folder is built and run.',
  });

/** Keys that a now.json may have and that change nothing here; `true`: somebody may count on it, so it is said. */
export const WITHOUT_EFFECT = {
  version: false,
  features: false,
  public: false,
  api: false,
  project: false,
  forwardNpm: true,
  engines: true,
  static: true,
  github: true,
} as const satisfies Partial<Record<keyof typeof configFileSchema.shape, boolean>>;

/** Names the keys of a file that have no effect here and that somebody may count on. */
export function keysWithoutEffect(file: ConfigFile): readonly string[] {
  return Object.entries(WITHOUT_EFFECT)
    .filter(([key, isSaid]) => isSaid && file[key as keyof ConfigFile] !== undefined)
    .map(([key]) => key);
}

/** What a berth.json says, exactly as written. */
export type ConfigFile = z.infer<typeof configFileSchema>;
