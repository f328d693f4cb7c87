/** The wire forms of teams, tokens, login links, plans and the audit log. */
import { z } from 'zod';
import { ROLES, VERBS } from '../core/access.ts';

const time = z.iso.datetime().describe('ISO 8601, UTC.');
const name = (what: string) =>
  z
    .string()
    .max(63)
    .regex(
      /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
      'may have lower-case letters, digits and inner hyphens only',
    )
    .describe(what);
const personName = z
  .string()
  .min(1)
  .max(100)
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._@+-]*$/u,
    'may have letters, digits, spaces and . _ @ + - only',
  )
  .describe('Stands in the audit log.');

const role = z.enum(ROLES);
const verb = z.enum(VERBS);

const grant = {
  team: z.string().nullable().describe('null: all teams.'),
  role,
  can: verb.array().nullable().describe('null: all that the role may.'),
  projects: z.string().array().nullable().describe('null: all of the team.'),
};

export const whoami = z
  .object({
    name: z.string(),
    via: z.string().describe('How the server knows, in words.'),
    ...grant,
    expiresAt: time.optional(),
  })
  .meta({ id: 'Identity' });

export const token = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['login', 'token']).describe('Of a person who logged in, or made for a program.'),
    ...grant,
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.optional(),
    lastUsedAt: time.optional().describe('To the minute. Absent: never.'),
  })
  .meta({ id: 'Token', description: 'Never with its value.' });

export const newToken = token
  .extend({ value: z.string().describe('The token itself. It is never shown again.') })
  .meta({ id: 'NewToken' });

const grantInput = {
  team: z
    .string()
    .max(63)
    .nullable()
    .optional()
    .describe('null: all teams. Absent: that of who asks, or `default`.'),
  role: role.optional().describe('Otherwise `member`.'),
};

export const tokenInput = z.object({
  name: personName,
  ...grantInput,
  can: verb.array().max(VERBS.length).optional().describe('Absent: all that the role may.'),
  projects: z.string().max(63).array().max(100).optional().describe('Absent: all of the team.'),
  expiresInMs: z.number().int().positive().max(3_153_600_000_000).optional(),
});

export const invitationInput = z.object({ name: personName, ...grantInput });
export const invitation = z
  .object({
    name: z.string(),
    team: grant.team,
    role,
    path: z.string().describe('Of the login link, on this server. It works once.'),
    expiresAt: time,
  })
  .meta({ id: 'Invitation' });

export const loginInput = z.object({
  code: z.string().min(1).max(200).describe('The last part of a login link.'),
});

export const team = z
  .object({
    name: z.string(),
    plan: z.string(),
    quota: z.object({ instances: z.number().optional(), requests: z.number().optional() }),
    use: z
      .object({ instances: z.number(), requests: z.number() })
      .describe('Running instances, and requests in flight or waiting, now.'),
    projects: z.number().int(),
    createdAt: time,
  })
  .meta({ id: 'Team' });
export const teamInput = z.object({
  name: name('Of the team.'),
  plan: z.string().max(63).optional(),
});
export const teamParameters = z.object({ team: z.string().max(63) });
export const teamQuery = z.object({ team: z.string().max(63).optional() });
export const planInput = z.object({ plan: z.string().max(63) });
export const tokenParameters = z.object({ id: z.string().max(100) });

const bound = z.number().int().min(0).max(1_000_000);
const quota = z.object({
  instances: bound.optional().describe('Running at once. Absent: no bound.'),
  requests: bound.optional().describe('In flight or waiting at once. Absent: no bound.'),
});
export const plan = quota
  .extend({ name: z.string(), isPreset: z.boolean(), teams: z.string().array() })
  .meta({ id: 'Plan' });
export const quotaInput = quota;
export const planParameters = z.object({ plan: name('Of the plan.') });

export const auditQuery = z.object({
  project: z.string().max(63).optional(),
  team: z.string().max(63).optional(),
  since: z.iso.datetime({ offset: true }).optional().describe('Only lines at or after this time.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('At most so many of the newest; otherwise 100.'),
});
export const auditEntry = z
  .object({
    at: time,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    team: z.string(),
    project: z.string().optional(),
    detail: z.string(),
    failure: z.string().optional().describe('Code of the error. Absent: it was done.'),
    token: z.string().optional().describe('Id of the token that was used.'),
    address: z.string().optional(),
  })
  .meta({ id: 'AuditEntry' });
