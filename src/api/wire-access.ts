/** Tokens, teams and lines of the audit log in their wire form. */
import type { z } from 'zod';
import type { Grant, Invitation, Principal, Team, Token } from '../core/access.ts';
import type { AuditEntry } from '../core/model.ts';
import type { TeamUse } from '../core/quota.ts';
import type * as schemas from './schemas-access.ts';
import { toIso } from './wire.ts';

const VIA: Readonly<Record<Principal['kind'], string>> = {
  local: 'the token file of the data folder',
  login: 'a login link',
  token: 'a token made for a program',
};

export function toWireIdentity(who: Principal): z.output<typeof schemas.whoami> {
  const { name, kind, expiresAt } = who;
  return {
    name,
    via: VIA[kind],
    ...toWireGrant(who),
    ...(expiresAt === undefined ? {} : { expiresAt: toIso(expiresAt) }),
  };
}

export function toWireToken(token: Token): z.output<typeof schemas.token> {
  const { id, name, kind, createdAt, createdBy, expiresAt, lastUsedAt } = token;
  return {
    id,
    name,
    kind,
    ...toWireGrant(token),
    createdAt: toIso(createdAt),
    createdBy,
    ...(expiresAt === undefined ? {} : { expiresAt: toIso(expiresAt) }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: toIso(lastUsedAt) }),
  };
}

export function toWireInvitation(
  { name, team, role, expiresAt }: Invitation,
  path: string,
): z.output<typeof schemas.invitation> {
  return { name, team: team ?? null, role, path, expiresAt: toIso(expiresAt) };
}

export function toWireTeam(
  { name, plan, createdAt }: Team,
  use: TeamUse,
  projects: number,
): z.output<typeof schemas.team> {
  const { instances, requests } = use;
  return {
    name,
    plan,
    quota: { ...use.quota },
    use: { instances, requests },
    projects,
    createdAt: toIso(createdAt),
  };
}

export function toWireAuditEntry(entry: AuditEntry): z.output<typeof schemas.auditEntry> {
  return { ...entry, at: toIso(entry.at) };
}

function toWireGrant({ team, role, can, projects }: Grant) {
  return {
    team: team ?? null,
    role,
    can: can ? [...can] : null,
    projects: projects ? [...projects] : null,
  };
}
