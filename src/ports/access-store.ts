/** Teams, projects, tokens, invitations and plans in the store. Contract proved by `stores/access.contract.ts`. */
import type { Invitation, Project, Team, Token } from '../core/access.ts';
import type { Quota } from '../core/quota.ts';

/** A plan of the operator's own. */
export interface NamedPlan extends Quota {
  readonly name: string;
}

/** Part of every store. The team `default` is there from the start. */
export interface AccessStore {
  /** False when the name is taken; then nothing is written. */
  insertTeam(team: Team): Promise<boolean>;
  team(name: string): Promise<Team | undefined>;
  /** By name. */
  teams(): Promise<readonly Team[]>;
  /** False when it is not there. */
  setTeamPlan(name: string, plan: string): Promise<boolean>;
  /** With its tokens and invitations, unless it has projects: then nothing is removed. @returns whether it is gone. */
  deleteTeam(name: string): Promise<boolean>;

  /** Writes the project only if its name is free; the one that stands afterwards. */
  claimProject(project: Project): Promise<Project>;
  project(name: string): Promise<Project | undefined>;
  /** By name. */
  projects(filter?: { readonly team?: string }): Promise<readonly Project[]>;
  deleteProject(name: string): Promise<void>;

  /** False when the team has a token of that name already. */
  insertToken(token: Token): Promise<boolean>;
  tokenByHash(hash: string): Promise<Token | undefined>;
  /** Oldest first. */
  tokens(filter?: { readonly team?: string }): Promise<readonly Token[]>;
  noteTokenUse(id: string, at: number): Promise<void>;
  /** False when it is not there. */
  deleteToken(id: string): Promise<boolean>;

  insertInvitation(invitation: Invitation): Promise<void>;
  /** Not used up and not expired at `now`; oldest first. */
  invitations(now: number): Promise<readonly Invitation[]>;
  /** Takes the invitation away for good, so that of all who try exactly one gets it. Undefined: used, expired or unknown. */
  redeemInvitation(hash: string, now: number): Promise<Invitation | undefined>;

  /** Replaces one of the same name. */
  putPlan(plan: NamedPlan): Promise<void>;
  /** The operator's own, by name. */
  plans(): Promise<readonly NamedPlan[]>;
  deletePlan(name: string): Promise<boolean>;
}
