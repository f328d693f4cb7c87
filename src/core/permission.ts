/**
 * Who may do what: the one decision about roles and scopes.
 *
 * | verb | what it covers | viewer | member | owner |
 * |---|---|---|---|---|
 * | read | deployments, instances, logs, releases: looking | x | x | x |
 * | audit | the audit log of the team | | x | x |
 * | deploy | uploads and new deployments | | x | x |
 * | release | promote, roll back, aliases | | x | x |
 * | configure | variables, secrets, scale, limits | | x | x |
 * | remove | deployments, clean-up | | x | x |
 * | team | members, invitations, tokens | | | x |
 * | metrics | figures of the whole platform | all teams only | all teams only | all teams only |
 * | operate | teams, plans, certificates, the server itself | | | all teams only |
 *
 * What is for all teams only is nothing of a project: a grant for some projects has none of it.
 */
import type { Grant, Principal, Role, Verb } from './access.ts';

const OF_MEMBER: readonly Verb[] = ['read', 'audit', 'deploy', 'release', 'configure', 'remove'];

const OF_ROLE: Readonly<Record<Role, readonly Verb[]>> = {
  viewer: ['read'],
  member: OF_MEMBER,
  owner: [...OF_MEMBER, 'team'],
};

/** What only grants over all teams have, besides. */
const OF_PLATFORM: Readonly<Record<Role, readonly Verb[]>> = {
  viewer: ['metrics'],
  member: ['metrics'],
  owner: ['metrics', 'operate'],
};

export type Decision =
  | { readonly kind: 'allowed' }
  /** `because` is what is missing, as a sentence. */
  | { readonly kind: 'forbidden'; readonly because: string }
  /** To this one it does not exist: saying more would tell that it does. */
  | { readonly kind: 'hidden' };

const ALLOWED: Decision = { kind: 'allowed' };
const HIDDEN: Decision = { kind: 'hidden' };

/** What it is to be done to; both absent when it is to nothing in particular. */
export interface Subject {
  readonly team?: string;
  readonly project?: string;
}

/** Whether `who` may do it: the verb first, then whether what it is about can be seen at all. */
export function decide(who: Principal, verb: Verb, subject: Subject = {}): Decision {
  if (!verbsOf(who).includes(verb)) return { kind: 'forbidden', because: lacking(who, verb) };
  return isVisible(who, subject) ? ALLOWED : HIDDEN;
}

/** Whether it is within the team and the projects of the grant. */
export function isVisible(who: Grant, { team, project }: Subject): boolean {
  if (who.team !== undefined && team !== undefined && team !== who.team) return false;
  return who.projects === undefined || project === undefined || who.projects.includes(project);
}

/** Whether all that the grant reaches is within the reach of `who`: what it may do there does not count. */
export function reaches(who: Grant, { team, projects }: Grant): boolean {
  if (who.team !== undefined && team !== who.team) return false;
  return who.projects === undefined || (projects?.every(isOneOf(who.projects)) ?? false);
}

function isOneOf(all: readonly string[]): (one: string) => boolean {
  return (one) => all.includes(one);
}

/** All verbs of a grant, narrowed by its scopes. */
export function verbsOf({ team, role, can, projects }: Grant): readonly Verb[] {
  const isForAll = team === undefined && projects === undefined;
  const verbs = isForAll ? [...OF_ROLE[role], ...OF_PLATFORM[role]] : OF_ROLE[role];
  return can === undefined ? verbs : verbs.filter((verb) => can.includes(verb));
}

/** Whether `who` may hand out `grant`: never more than it has itself. `because` says what is too much. */
export function mayGrant(who: Principal, grant: Grant): Decision {
  const team = decide(who, 'team', grant.team === undefined ? {} : { team: grant.team });
  if (team.kind !== 'allowed') return team;
  if (who.team !== undefined && grant.team === undefined)
    return {
      kind: 'forbidden',
      because: `${who.name} is for team ${who.team}, not for all teams.`,
    };
  const own = verbsOf(who);
  const more = verbsOf(grant).find((verb) => !own.includes(verb));
  if (more !== undefined)
    return { kind: 'forbidden', because: `${who.name} may not ${more} and cannot let others.` };
  const wider = grant.projects?.find((project) => !isVisible(who, { project }));
  if (who.projects !== undefined && (grant.projects === undefined || wider !== undefined))
    return {
      kind: 'forbidden',
      because: `${who.name} is for ${who.projects.join(', ')} only and cannot give more.`,
    };
  return ALLOWED;
}

function lacking(who: Principal, verb: Verb): string {
  const { name, role, team, can, projects } = who;
  const whole = verbsOf({ ...(team === undefined ? {} : { team }), role });
  if (can !== undefined && whole.includes(verb)) {
    const allowed = can.length === 0 ? 'nothing' : can.join(', ');
    return `The token ${name} may ${allowed}; this needs ${verb}.`;
  }
  if (team !== undefined && OF_PLATFORM.owner.includes(verb))
    return `${name} is for team ${team}; this needs ${verb}, which only those of all teams have.`;
  if (projects !== undefined && OF_PLATFORM.owner.includes(verb))
    return `${name} is for ${projects.join(', ')}; this needs ${verb}, which only those of all projects have.`;
  return `${name} is ${role}${team === undefined ? '' : ` of ${team}`}; this needs ${verb}, which ${rolesWith(verb)} have.`;
}

function rolesWith(verb: Verb): string {
  const roles = (Object.keys(OF_ROLE) as Role[]).filter(
    (role) => OF_ROLE[role].includes(verb) || OF_PLATFORM[role].includes(verb),
  );
  return roles.map((role) => `${role}s`).join(' and ');
}
