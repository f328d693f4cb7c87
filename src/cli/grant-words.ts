/** Grants between the command line and the API: team options in, words for people out. */
import type { Token } from '../client/access.ts';

/** `--team T`, `--all-teams` (null), or neither: the server's choice. */
export function inTeam(options: { readonly team?: string; readonly allTeams?: boolean }): {
  readonly team?: string | null;
} {
  if (options.allTeams) return { team: null };
  return options.team === undefined ? {} : { team: options.team };
}

/** `member of blue, may read and deploy, for shop`. */
export function grantInWords({
  team,
  role,
  can,
  projects,
}: Pick<Token, 'team' | 'role' | 'can' | 'projects'>): string {
  const may = can ? `, may ${can.join(', ') || 'nothing'}` : '';
  const only = projects ? `, for ${projects.join(', ') || 'no project'} only` : '';
  return `${role} of ${team ?? 'all teams'}${may}${only}`;
}
