/** `berth alias`: its commands with their arguments. */
import type { Command } from 'commander';
import type { Calls } from './program.ts';
import { aliasPlace } from './values.ts';

export function addAliasCommands(program: Command, calls: Calls): void {
  const alias = program
    .command('alias')
    .description('hostnames, and paths of them, that lead to an environment or a deployment');
  alias
    .command('ls', { isDefault: true })
    .description('list aliases and where each leads')
    .action(calls(() => import('./alias-ls.ts')));
  alias
    .command('set')
    .description('lead a hostname, or a path of it, somewhere; from the next request on')
    .argument('<alias>', 'www.example.com, *.example.com, or www.example.com/api', aliasPlace)
    .argument('<target>', 'PROJECT (its production), PROJECT/ENVIRONMENT, or a deployment')
    .action(calls(() => import('./alias-set.ts')));
  alias
    .command('rm')
    .description('remove an alias; what it leads to stays')
    .argument('<alias>', 'as `berth alias ls` shows it', aliasPlace)
    .action(calls(() => import('./alias-rm.ts')));
}
