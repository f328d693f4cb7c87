/** Teams, projects, tokens, invitations and plans of the memory store. */
import type { Invitation, Project, Team, Token } from '../../core/access.ts';
import type { AccessStore, NamedPlan } from '../../ports/access-store.ts';

/** `needOpen` throws SHUTTING_DOWN once the store is closed. */
export function memoryAccess(needOpen: () => void): AccessStore {
  const teams = new Map<string, Team>([
    ['default', { name: 'default', plan: 'unlimited', createdAt: 0 }],
  ]);
  const projects = new Map<string, Project>();
  const tokens = new Map<string, Token>();
  const invitations = new Map<string, Invitation>();
  const plans = new Map<string, NamedPlan>();

  return {
    async insertTeam(team) {
      needOpen();
      if (teams.has(team.name)) return false;
      teams.set(team.name, { ...team });
      return true;
    },
    async team(name) {
      needOpen();
      return teams.get(name);
    },
    async teams() {
      needOpen();
      return byName(teams);
    },
    async setTeamPlan(name, plan) {
      needOpen();
      const team = teams.get(name);
      if (team) teams.set(name, { ...team, plan });
      return team !== undefined;
    },
    async deleteTeam(name) {
      needOpen();
      if ([...projects.values()].some(({ team }) => team === name)) return false;
      for (const [id, { team }] of tokens) if (team === name) tokens.delete(id);
      for (const [hash, { team }] of invitations) if (team === name) invitations.delete(hash);
      return teams.delete(name);
    },

    async claimProject(project) {
      needOpen();
      const standing = projects.get(project.name) ?? { ...project };
      projects.set(project.name, standing);
      return standing;
    },
    async project(name) {
      needOpen();
      return projects.get(name);
    },
    async projects({ team } = {}) {
      needOpen();
      return byName(projects).filter((one) => team === undefined || one.team === team);
    },
    async deleteProject(name) {
      needOpen();
      projects.delete(name);
    },

    async insertToken(token) {
      needOpen();
      const isTaken = [...tokens.values()].some(
        (one) =>
          one.id === token.id ||
          one.hash === token.hash ||
          (one.name === token.name && one.team === token.team),
      );
      if (!isTaken) tokens.set(token.id, structuredClone(token));
      return !isTaken;
    },
    async tokenByHash(hash) {
      needOpen();
      return [...tokens.values()].find((one) => one.hash === hash);
    },
    async tokens({ team } = {}) {
      needOpen();
      return [...tokens.values()]
        .filter((one) => team === undefined || one.team === team)
        .toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
    async noteTokenUse(id, at) {
      needOpen();
      const token = tokens.get(id);
      if (token) tokens.set(id, { ...token, lastUsedAt: at });
    },
    async deleteToken(id) {
      needOpen();
      return tokens.delete(id);
    },

    async insertInvitation(invitation) {
      needOpen();
      invitations.set(invitation.hash, structuredClone(invitation));
    },
    async invitations(now) {
      needOpen();
      return [...invitations.values()]
        .filter(({ expiresAt }) => expiresAt > now)
        .toSorted((a, b) => a.createdAt - b.createdAt || (a.hash < b.hash ? -1 : 1));
    },
    async redeemInvitation(hash, now) {
      needOpen();
      const invitation = invitations.get(hash);
      if (!invitation || invitation.expiresAt <= now) return undefined;
      invitations.delete(hash);
      return invitation;
    },

    async putPlan(plan) {
      needOpen();
      plans.set(plan.name, { ...plan });
    },
    async plans() {
      needOpen();
      return byName(plans);
    },
    async deletePlan(name) {
      needOpen();
      return plans.delete(name);
    },
  };
}

function byName<Named extends { readonly name: string }>(
  all: ReadonlyMap<string, Named>,
): readonly Named[] {
  return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
