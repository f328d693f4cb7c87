/** `berth projects`: its commands with their arguments. */
import type { Command } from 'commander';
import type { Calls } from './program.ts';
import { projectName } from './values.ts';

export function addProjectCommands(program: Command, calls: Calls): void {
  const projects = program
    .command('projects')
    .description('projects: whose each is, and how to remove a whole one');
  projects
    .command('ls', { isDefault: true })
    .description('list projects with their team and what each has')
    .action(calls(() => import('./projects-ls.ts')));
  projects
    .command('rm')
    .description(
      'remove a project with its environments, their history, and its deployments; shows first what goes',
    )
    .argument('<project>', 'as `berth projects` shows it', projectName)
    .option('--with-aliases', 'remove the aliases that lead to it as well')
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./projects-rm.ts')));
}
