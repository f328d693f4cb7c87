/** `berth apply` and `berth diff` with their options. */
import type { Command } from 'commander';
import type { Calls, GlobalOptions } from './program.ts';

export interface StackOptions extends GlobalOptions {
  readonly file?: string;
  readonly prune?: boolean;
}

export function addStackCommands(program: Command, calls: Calls): void {
  const file = [
    '-f, --file <file>',
    'the stack; otherwise berth.stack.json, .yaml or .yml in this folder',
  ] as const;
  const prune = [
    '--prune',
    'also remove what listed projects have and the file does not: environments, aliases, variables, limits',
  ] as const;
  program
    .command('apply')
    .description('make the platform what a stack file says, after showing what that takes')
    .option(...file)
    .option(...prune)
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./apply.ts')));
  program
    .command('diff')
    .description('show what `berth apply` would do; exit code 2 when there is something')
    .option(...file)
    .option(...prune)
    .action(calls(() => import('./diff.ts')));
}
