/** Teams, who belongs to them, and what a token stands for: plain data. */

/** What a member of a team is; each may do what the one before may, and more. */
export const ROLES = ['viewer', 'member', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** What a route needs; `permission.ts` says which role has which. */
export const VERBS = [
  'read',
  'audit',
  'deploy',
  'release',
  'configure',
  'remove',
  'team',
  'metrics',
  'operate',
] as const;
export type Verb = (typeof VERBS)[number];

/** The team that is there from the start. */
export const DEFAULT_TEAM = 'default';

export interface Team {
  readonly name: string;
  /** Name of a preset or of one of the operator's own. */
  readonly plan: string;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** A name on this platform and the team that has it. */
export interface Project {
  readonly name: string;
  readonly team: string;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** What somebody may do: part of a token, of an invitation, and of whoever asks. */
export interface Grant {
  /** Absent: all teams, and with `owner` the platform itself. */
  readonly team?: string;
  readonly role: Role;
  /** Absent: all that the role may. */
  readonly can?: readonly Verb[];
  /** Absent: all projects of the team. */
  readonly projects?: readonly string[];
}

/** Kept in place of the token itself, which nobody can tell again. */
export interface Token extends Grant {
  /** Names it in lists; says nothing about its value. */
  readonly id: string;
  /** What is written into the audit log. */
  readonly name: string;
  /** `login`: a person's, from a login link; `token`: made by hand for a program. */
  readonly kind: 'login' | 'token';
  /** sha256 of the value, in hex. */
  readonly hash: string;
  /** ms since the epoch, as all below. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
  readonly lastUsedAt?: number;
}

/** A login link that nobody used yet: whoever has the code gets a token with this grant, once. */
export interface Invitation extends Grant {
  /** Name of the token it becomes. */
  readonly name: string;
  /** sha256 of the code, in hex. */
  readonly hash: string;
  /** ms since the epoch, as all below. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
}

/** Who asks. */
export interface Principal extends Grant {
  /** Name of the token, or `local`. */
  readonly name: string;
  readonly kind: 'local' | Token['kind'];
  /** Id of the token; absent for the local one. */
  readonly token?: string;
  readonly expiresAt?: number;
}
