/** The wire forms: what validates requests, shapes answers and makes the OpenAPI document and the typed client. */
import { z } from 'zod';
import { configFileSchema } from '../config/schema.ts';
import { BOUNDS } from '../core/limits.ts';

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'is not a sha256 of 64 lower-case hex digits')
  .describe('sha256 in lower-case hex.');
const time = z.iso.datetime().describe('ISO 8601, UTC.');
const count = z.number().int().nonnegative();

const projectName = z
  .string()
  .max(BOUNDS.projectNameChars)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'may have lower-case letters, digits and inner hyphens only',
  )
  .describe('A DNS label: lower-case letters, digits, hyphens.');

const instanceStates = [
  'parked',
  'booting',
  'ready',
  'busy',
  'frozen',
  'reclaimed',
  'draining',
  'stopped',
] as const;

const deploymentStates = ['building', 'verifying', 'ready', 'failed'] as const;

export const health = z
  .object({ status: z.literal('ok'), version: z.string() })
  .meta({ id: 'Health' });

export const status = z
  .object({
    version: z.string(),
    pid: z.number().int(),
    listen: z.string(),
    listenTls: z.string().optional().describe('Absent: there is no TLS.'),
    domain: z.string(),
    dataFolder: z.string(),
    startedAt: time,
    engine: z.object({
      name: z.string(),
      version: z.string(),
      runtime: z.string(),
      cgroupVersion: z.union([z.literal(1), z.literal(2)]),
    }),
    counts: z.object({
      deployments: z.partialRecord(z.enum(deploymentStates), count),
      instances: z.partialRecord(z.enum(instanceStates), count),
    }),
    eventLoopLagMs: z
      .object({ p50: z.number(), p99: z.number(), max: z.number() })
      .describe('How late the thread that serves requests was, since the last minute began.'),
  })
  .meta({ id: 'Status' });

export const slot = z
  .object({
    name: z.string(),
    cpus: z.number(),
    memoryMiB: z.number(),
    for: z.string(),
    fits: z.boolean().describe('Whether this machine has that much.'),
  })
  .meta({ id: 'Slot' });

const manifestEntry = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('file'),
      path: z.string(),
      mode: z.number().int().describe('Unix permission bits.'),
      bytes: count,
      sha256,
    }),
    z.object({ kind: z.literal('symlink'), path: z.string(), target: z.string() }),
    z.object({ kind: z.literal('directory'), path: z.string(), mode: z.number().int() }),
  ])
  .meta({
    id: 'ManifestEntry',
    description: 'Paths are relative, normalised, with `/` between names.',
  });

export const upload = z.object({ manifest: z.array(manifestEntry) });
export const uploaded = z
  .object({
    manifest: sha256.describe('Name of the manifest: what a deployment is made of.'),
    missing: z.array(sha256).describe('Blobs to be sent before the deploy.'),
  })
  .meta({ id: 'Uploaded' });

export const blobParameters = z.object({ sha256 });

const failure = z.object({ code: z.string(), detail: z.string() });

export const instance = z
  .object({
    id: z.string(),
    deployment: z.string(),
    state: z.enum(instanceStates),
    inFlight: count.describe('Leases held now.'),
    createdAt: time,
    runningMs: z.number().describe('Time spent running, frozen time excluded.'),
    restarts: count.optional(),
    address: z.string().optional(),
    busyUntil: time
      .optional()
      .describe('Until when it stays awake for background work, by its own word.'),
    because: z.string().describe('The last decision about it, in words.'),
  })
  .meta({ id: 'Instance' });

const configuration = configFileSchema.meta({ id: 'Configuration' });

export const deployment = z
  .object({
    id: z.string(),
    project: z.string(),
    url: z.url(),
    state: z.enum(deploymentStates),
    source: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('folder'), manifest: sha256, files: count, bytes: count }),
      z.object({ kind: z.literal('image'), reference: z.string() }),
    ]),
    configuration: configuration.describe(
      'In the form of berth.json, with every default. Values of variables are hidden; `@name` names a secret.',
    ),
    secrets: z
      .record(z.string(), z.number().int())
      .optional()
      .describe('Version of each secret that it was made with. Absent: it names none.'),
    image: z.object({ id: z.string(), bytes: count }).optional(),
    failure: failure.optional(),
    createdAt: time,
    createdBy: z.string(),
    readyAt: time.optional(),
    environments: z
      .array(z.string())
      .optional()
      .describe('Environments that run it now; in lists and details.'),
  })
  .meta({ id: 'Deployment' });

export const deploymentDetail = deployment
  .extend({
    instances: z.array(instance),
    because: z.string().optional().describe('The latest scale decision, in words.'),
  })
  .meta({ id: 'DeploymentDetail' });

const source = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder'), manifest: sha256 }),
  z.object({ kind: z.literal('image'), reference: z.string().min(1).max(500) }),
]);

export const deploy = z.object({
  project: projectName,
  team: z
    .string()
    .max(63)
    .optional()
    .describe('Team that a new project belongs to; otherwise that of the token, or `default`.'),
  configuration: configuration.default({}).describe('In the form of berth.json.'),
  source,
});

export const project = z.object({ name: z.string(), team: z.string() }).meta({ id: 'Project' });
export const projectRemoved = z
  .object({
    name: z.string(),
    deployments: z.number().int(),
    environments: z.number().int(),
    aliases: z.number().int(),
  })
  .meta({ id: 'ProjectRemoved', description: 'How many of each went with it.' });
export const projectInput = deploy.pick({ project: true, team: true });
export const identifyInput = z.object({
  configuration: deploy.shape.configuration,
  source: z.union([
    source,
    z.object({
      kind: z.literal('deployment'),
      name: z
        .string()
        .min(1)
        .max(300)
        .describe('An id, a hostname or URL, or the beginning of an id.'),
    }),
  ]),
});
export const identified = z
  .object({
    deployment: z.string().describe('Id of what an environment would have as its base.'),
    isReady: z.boolean().describe('It is there, and can be released.'),
  })
  .meta({ id: 'Identified' });

export const deploymentsQuery = z.object({ project: projectName.optional() });
export const instancesQuery = z.object({ deployment: z.string().max(300).optional() });

export const nameParameters = z.object({
  name: z
    .string()
    .min(1)
    .max(300)
    .describe('An id, a hostname or URL of it, a project, or the beginning of an id.'),
});

export const logsQuery = z.object({
  tail: z.coerce.number().int().min(0).max(100_000).optional().describe('Only the newest lines.'),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Only lines at or after this time, ISO 8601.'),
  instance: z.string().max(100).optional(),
  follow: z
    .stringbool()
    .optional()
    .describe('Server-sent events: each line, then new ones as they come.'),
});

export const logLine = z
  .object({
    instance: z.string(),
    at: time,
    stream: z.enum(['stdout', 'stderr']),
    text: z.string(),
  })
  .meta({ id: 'LogLine' });

export const stepEvent = z
  .object({
    name: z.enum(['queue', 'files', 'build', 'image', 'boot']),
    state: z.enum(['running', 'done', 'failed']),
    elapsedMs: z.number().optional().describe('Absent when it is no longer known.'),
    detail: z.string().optional(),
  })
  .meta({ id: 'StepEvent', description: 'Data of the event `step` of a deploy.' });
export const lineEvent = z
  .object({ text: z.string() })
  .meta({ id: 'LineEvent', description: 'Data of the event `line` of a deploy.' });
export const endEvent = z
  .object({ deployment })
  .meta({ id: 'EndEvent', description: 'Data of the last event of a deploy, `end`.' });

const leaf = {
  names: z.array(z.string()).describe('Hostnames it is valid for.'),
  issuer: z.string(),
  notBefore: time,
  notAfter: time,
  serial: z.string(),
  fingerprint256: z.string(),
};

export const certificate = z
  .object({
    hostname: z.string().describe('A hostname, or a wildcard such as `*.example.com`.'),
    source: z
      .enum(['own', 'acme', 'local'])
      .describe('Given by hand, asked of an ACME server, or signed by the local authority.'),
    state: z.enum(['valid', 'expired', 'notYetValid', 'pending', 'failed']),
    because: z.string().optional().describe('What is being done about it, or why there is none.'),
    ...z.object(leaf).partial().shape,
  })
  .meta({ id: 'Certificate', description: 'Never with its key.' });

export const hostnameParameters = z.object({
  hostname: z
    .string()
    .min(1)
    .max(254)
    .describe('A hostname, or a wildcard such as `*.example.com`.'),
});

const pem = z
  .string()
  .min(1)
  .max(64 * 1024);
export const certificateInput = z.object({
  certificate: pem.describe('PEM: the certificate of the hostname first, then who signed it.'),
  key: pem.describe('PEM, not encrypted. It is kept, and never shown again.'),
});

export const authority = z
  .object({
    certificate: z.string().describe('PEM, to be trusted by clients.'),
    path: z.string().describe('Its file on the machine of the server.'),
    domains: z
      .array(z.string())
      .describe('What it can vouch for, loopback addresses aside: these and all below.'),
    ...leaf,
  })
  .meta({ id: 'Authority' });
