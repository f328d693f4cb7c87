/** Compares a stack with what is there: the steps that make the one the other, in the order in which they can be done. */
import { planEnvironments } from './stack-environments.ts';
import { PRODUCTION, STAGING } from './environment.ts';
import { environmentKey } from './route.ts';
import type { Platform, Stack, StackPlan, StackProblem, Step } from './stack.ts';

/** Where plans collect what they find. */
export interface Findings {
  readonly steps: Step[];
  readonly problems: StackProblem[];
  readonly unlisted: string[];
}

/**
 * Only what the stack lists is touched. With `prune`, what it does not list of listed projects goes too: environments,
 * aliases, variables and limits, each only where the stack has the key for it. Projects and deployments never go, nor do
 * previews: branches made those.
 */
export function planStack(
  stack: Stack,
  platform: Platform,
  { prune }: { prune: boolean },
): StackPlan {
  const found: Findings = { steps: [], problems: [], unlisted: [] };
  planTeams(stack, platform, found);
  planProjects(stack, platform, found);
  const removals: Step[] = [];
  for (const [project, wanted] of stack.projects) {
    if (!wanted.environments) continue;
    planEnvironments({ stack, platform, prune, project, wanted }, found, removals);
  }
  planAliases(stack, platform, prune, found);
  return { ...found, steps: [...found.steps, ...removals] };
}

function planTeams(stack: Stack, platform: Platform, { steps }: Findings): void {
  for (const [team, { plan }] of stack.teams) {
    const seen = platform.teams.get(team);
    const planned = plan === undefined ? {} : { plan };
    if (!seen) {
      const changes = plan === undefined ? [] : [{ sign: '+' as const, what: `plan ${plan}` }];
      steps.push({ kind: 'team', team, ...planned, sign: '+', because: NOT_THERE, changes });
    } else if (plan !== undefined && plan !== seen.plan) {
      const changes = [{ sign: '~' as const, what: `plan ${seen.plan} → ${plan}` }];
      steps.push({ kind: 'team', team, plan, sign: '~', because: DIFFERS, changes });
    }
  }
}

function planProjects(stack: Stack, platform: Platform, { steps, problems }: Findings): void {
  for (const [project, { team }] of stack.projects) {
    const seen = platform.projects.get(project);
    const path = ['projects', project, 'team'];
    if (seen && team !== undefined && seen.team !== team) {
      const message = `belongs to team ${seen.team}: a project never moves to another`;
      problems.push({ kind: 'other', path, message });
    }
    if (seen) continue;
    if (team !== undefined && !platform.teams.has(team) && !stack.teams.has(team)) {
      const message = `names team ${team}, which is neither there nor under "teams"`;
      problems.push({ kind: 'other', path, message });
    }
    const ofTeam = team === undefined ? {} : { team };
    const changes = [{ sign: '+' as const, what: `team ${team ?? platform.team}` }];
    steps.push({ kind: 'project', project, ...ofTeam, sign: '+', because: NOT_THERE, changes });
  }
}

function planAliases(
  stack: Stack,
  platform: Platform,
  prune: boolean,
  { steps, problems, unlisted }: Findings,
): void {
  const { aliases } = stack;
  if (!aliases) return;
  const removals: Step[] = [];
  for (const [alias, text] of aliases) {
    const target = aliasTarget(stack, platform, text);
    if ('problem' in target) {
      problems.push({ kind: 'other', path: ['aliases', alias], message: target.problem });
      continue;
    }
    const before = platform.aliases.get(alias)?.target;
    if (before === target.name) continue;
    const step = { kind: 'alias' as const, alias, target: target.name };
    if (before === undefined) {
      steps.push({ ...step, sign: '+', because: NOT_THERE, changes: [] });
    } else {
      const changes = [{ sign: '~' as const, what: `leads to ${before} → ${target.name}` }];
      steps.push({ ...step, sign: '~', because: DIFFERS, changes });
    }
  }
  for (const [alias, { target, project }] of platform.aliases) {
    if (aliases.has(alias) || !stack.projects.has(project)) continue;
    if (!prune) unlisted.push(`alias ${alias}`);
    removals.push({ kind: 'alias', alias, target, sign: '-', because: UNLISTED, changes: [] });
  }
  if (prune) steps.push(...removals);
}

/** `shop` is production of shop when there is, or will be, such a project; else it has to be a deployment. */
function aliasTarget(
  stack: Stack,
  platform: Platform,
  text: string,
): { readonly name: string } | { readonly problem: string } {
  const slash = text.indexOf('/');
  const project = slash < 0 ? text : text.slice(0, slash);
  const isProject = stack.projects.has(project) || platform.projects.has(project);
  if (!isProject) {
    if (slash < 0 && platform.deploymentIds.has(text)) return { name: text };
    const what = slash < 0 ? `no project and no deployment ${text}` : `no project ${project}`;
    return { problem: `leads to ${text}, but there is ${what}` };
  }
  const environment = slash < 0 ? PRODUCTION : text.slice(slash + 1);
  const isThere =
    environment === PRODUCTION ||
    environment === STAGING ||
    stack.projects.get(project)?.environments?.has(environment) ||
    platform.projects.get(project)?.environments.has(environment);
  if (isThere) return { name: environmentKey(project, environment) };
  return { problem: `leads to ${text}, but ${project} has no environment ${environment}` };
}

const NOT_THERE = 'it is not there yet';
const DIFFERS = 'the file says otherwise';
const UNLISTED = 'it is not in the file';
