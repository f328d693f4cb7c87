/** What moves releases: its commands with their arguments. */
import type { Command } from 'commander';
import type { Calls } from './program.ts';
import { environmentName, integer, projectName } from './values.ts';

export function addReleaseCommands(program: Command, calls: Calls): void {
  const project = ['[project]', 'the project; otherwise that of this folder'] as const;
  const env = ['--env <environment>', 'the environment', environmentName, 'production'] as const;
  const ofProject = ['-n, --name <project>', project[1], projectName] as const;
  const why = ['--why <text>', 'shown in the history'] as const;

  program
    .command('promote')
    .description('release what runs elsewhere, or any deployment, without building anything')
    .argument('<what>', 'a deployment or its URL, an environment or its URL, or a release like v12')
    .option('--to <environment>', 'where it is to run', environmentName, 'production')
    .option('--from <environment>', 'whose release v12 is', environmentName, 'staging')
    .option(
      '--percent <share>',
      'send only so many of 100 clients there, and take it back if it does worse; again without it: all',
      integer(1, 99),
    )
    .option(...ofProject)
    .option(...why)
    .action(calls(() => import('./promote.ts')));

  program
    .command('releases')
    .description('show the history of an environment, newest first')
    .argument(...project)
    .option(...env)
    .option('-n, --lines <count>', 'at most so many', integer(1, 1_000), 20)
    .action(calls(() => import('./releases.ts')));

  program
    .command('rollback')
    .description('go back to the previous release, or to the one named, with all its settings')
    .argument(...project)
    .argument('[release]', 'the release to go back to, for example v12')
    .option(...env)
    .option(...why)
    .action(calls(() => import('./rollback.ts')));

  program
    .command('scale')
    .description('show or change how many instances an environment keeps: min=1 max=5')
    .argument('[project|min=|max=...]', 'the project, and what is to change')
    .option(...env)
    .option(...why)
    .action(calls(() => import('./scale.ts')));

  program
    .command('limits')
    .description('show or change the limits of an environment: maxConcurrentReqs=20 duration=60s')
    .argument(
      '[project|name=value...]',
      'the project, and what is to change; `default` takes a limit away',
    )
    .option(...env)
    .option(...why)
    .action(calls(() => import('./limits.ts')));

  const environments = program
    .command('environments')
    .description('the environments of a project: what each runs, and how to make and remove them');
  environments
    .command('ls', { isDefault: true })
    .description('list the environments of a project, and what each runs')
    .argument(...project)
    .action(calls(() => import('./environments-ls.ts')));
  environments
    .command('add')
    .description('make an environment, and print its URL')
    .argument('<environment>', 'for example qa', environmentName)
    .option(...ofProject)
    .action(calls(() => import('./environments-add.ts')));
  environments
    .command('rm')
    .description('remove an environment with its history; what it ran stays as a deployment')
    .argument('<environment>', 'as `berth environments` shows it', environmentName)
    .option(...ofProject)
    .option('--with-aliases', 'remove the aliases that lead to it as well')
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./environments-rm.ts')));
}
