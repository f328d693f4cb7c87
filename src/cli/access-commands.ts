/** `berth login`, `token`, `teams`, `plans` and `audit`: their commands with their arguments. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { ROLES, type Role } from '../core/access.ts';
import type { World } from './world.ts';
import type { Calls, GlobalOptions } from './program.ts';
import { integer, projectName, since, span, words } from './values.ts';

/** Options of what gives somebody a place in a team. */
export interface GrantOptions extends GlobalOptions {
  readonly team?: string;
  readonly allTeams?: boolean;
  readonly role?: Role;
}

const TEAM = ['--team <team>', 'otherwise that of your token'] as const;
const MAX = 1_000_000;

function grants(command: Command): Command {
  return command
    .option(...TEAM)
    .option('--all-teams', 'for all teams; with the role owner, for the platform itself')
    .addOption(new Option('--role <role>', 'otherwise member').choices(ROLES));
}

export function addLoginCommands(program: Command, calls: Calls): void {
  program
    .command('login')
    .description('use a login link or a token, so that commands go to that server')
    .argument('[url]', 'the login link, or the address of the server (BERTH_URL)')
    .option('--token <token>', 'otherwise BERTH_TOKEN, or it is asked for')
    .action(calls(() => import('./login.ts')));
  program
    .command('logout')
    .description('remove your token, on the server and here')
    .argument('[url]', 'otherwise the server that commands go to')
    .action(calls(() => import('./logout.ts')));
}

export function addAccessCommands(program: Command, calls: Calls, clock: World['clock']): void {
  const token = program.command('token').description('tokens: for programs, and of people');
  token
    .command('ls', { isDefault: true })
    .description('list tokens with what each may and its last use; never their values')
    .option(...TEAM)
    .action(calls(() => import('./token-ls.ts')));
  grants(
    token
      .command('add')
      .description('make a token for a program, and print it once')
      .argument('<name>', 'stands in the audit log'),
  )
    .option('-p, --project <project>', 'only for this project; may be repeated', projectNames)
    .option(
      '--can <verbs>',
      'only these, for example deploy,read; otherwise all of the role',
      words,
    )
    .option('--expires <time>', 'after so long: 90d', span)
    .action(calls(() => import('./token-add.ts')));
  token
    .command('rm')
    .description('remove tokens: they are refused at once')
    .argument('<token...>', 'name or id')
    .option(...TEAM)
    .action(calls(() => import('./token-rm.ts')));

  const teams = program.command('teams').description('teams, who belongs to them, and their plans');
  teams
    .command('ls', { isDefault: true })
    .description('list teams with their plans and what they use now')
    .action(calls(() => import('./teams-ls.ts')));
  teams
    .command('add')
    .description('add a team')
    .argument('<team>', 'lower-case letters, digits, inner hyphens')
    .option('--plan <plan>', 'otherwise unlimited')
    .action(calls(() => import('./teams-add.ts')));
  grants(
    teams
      .command('invite')
      .description('make a login link for a person; it works once, for 24 hours')
      .argument('<name>', 'of the person; stands in the audit log'),
  ).action(calls(() => import('./teams-invite.ts')));
  teams
    .command('plan')
    .description('put a team on a plan')
    .argument('<team>', 'as `berth teams` shows it')
    .argument('<plan>', 'as `berth plans` shows it')
    .action(calls(() => import('./teams-plan.ts')));
  teams
    .command('rm')
    .description('remove teams that have nothing deployed, with their tokens')
    .argument('<team...>', 'as `berth teams` shows it')
    .action(calls(() => import('./teams-rm.ts')));

  const plans = program.command('plans').description('what teams may use at once');
  plans
    .command('ls', { isDefault: true })
    .description('list plans and who is on them')
    .action(calls(() => import('./plans-ls.ts')));
  plans
    .command('set')
    .description('add or change a plan of your own')
    .argument('<plan>', 'lower-case letters, digits, inner hyphens')
    .option('--instances <count>', 'running at once; otherwise any number', integer(0, MAX))
    .option('--requests <count>', 'in flight or waiting; otherwise any number', integer(0, MAX))
    .action(calls(() => import('./plans-set.ts')));
  plans
    .command('rm')
    .description('remove a plan of your own that no team is on')
    .argument('<plan>', 'as `berth plans` shows it')
    .action(calls(() => import('./plans-rm.ts')));

  program
    .command('audit')
    .description('show who changed what, newest first')
    .option('--project <project>', 'only what belongs to this project', projectName)
    .option(...TEAM)
    .option(
      '--since <time>',
      'only since: 10m, 2h, or an ISO 8601 time',
      since(() => clock.now()),
    )
    .option('--limit <count>', 'at most so many lines (100)', integer(1, 1_000))
    .action(calls(() => import('./audit.ts')));
}

function projectNames(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, projectName(text)];
}
