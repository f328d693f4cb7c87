/** `berth secrets` and `berth env`: their commands with their arguments. */
import type { Command } from 'commander';
import type { Calls } from './program.ts';
import { environmentName, projectName } from './values.ts';

const TEAM = ['--team <team>', 'otherwise that of your token'] as const;
const FILE = ['--file <file>', 'take the value from a file, byte by byte'] as const;
const NAME = 'the secret; its value is asked for, or read from standard input';

export function addSecretsCommands(program: Command, calls: Calls): void {
  const secrets = program
    .command('secrets')
    .description('values that only the processes of apps see; variables name them as @NAME');
  secrets
    .command('ls', { isDefault: true })
    .description('list secrets with versions and who uses them; never values')
    .option(...TEAM)
    .action(calls(() => import('./secrets-ls.ts')));
  secrets
    .command('add')
    .description('keep a new secret, encrypted')
    .argument('<name>', NAME)
    .option(...FILE)
    .option(...TEAM)
    .action(calls(() => import('./secrets-add.ts')));
  secrets
    .command('rotate')
    .description('give a secret a new value; what runs keeps the old one until its next release')
    .argument('<name>', NAME)
    .option(...FILE)
    .option(
      '--release',
      'release every environment that runs an older value with its newest secrets',
    )
    .option(...TEAM)
    .action(calls(() => import('./secrets-rotate.ts')));
  secrets
    .command('rm')
    .description('remove secrets with all their versions')
    .argument('<name...>', 'as `berth secrets ls` shows it')
    .option('--force', 'also those in use: what runs goes on, but starts no more')
    .option(...TEAM)
    .action(calls(() => import('./secrets-rm.ts')));
  secrets
    .command('rotate-key')
    .description('seal all secrets with a new key file')
    .action(calls(() => import('./secrets-rotate-key.ts')));
}

export function addEnvCommands(program: Command, calls: Calls): void {
  const env = program
    .command('env')
    .description('variables of an environment; each change is a release');
  const inEnvironment = (name: string, isDefault = false) =>
    env
      .command(name, { isDefault })
      .option(
        '--env <environment>',
        'production, staging, preview/BRANCH, …',
        environmentName,
        'production',
      )
      .option(
        '-n, --name <project>',
        'otherwise `name` of the configuration here, or the folder’s name',
        projectName,
      );
  inEnvironment('ls', true)
    .description('list variables; those that name a secret show its name')
    .action(calls(() => import('./env-ls.ts')));
  inEnvironment('set')
    .description('set variables, and release what the environment runs with them')
    .argument('<name=value...>', '@NAME as a value names a secret, @@TEXT is a plain @TEXT')
    .option('--why <text>', 'shown in the history')
    .action(calls(() => import('./env-set.ts')));
  inEnvironment('rm')
    .description('remove variables, and release what the environment runs without them')
    .argument('<name...>', 'variables')
    .option('--why <text>', 'shown in the history')
    .action(calls(() => import('./env-rm.ts')));
  inEnvironment('pull')
    .description('write variables as a .env file; those that name a secret stay names')
    .option('-o, --output <file>', 'otherwise standard output')
    .action(calls(() => import('./env-pull.ts')));
}
