/** Every command with its arguments and options; what a command does is loaded when it is called. */
import { Command, Option } from 'commander';
import { LEAST_ZRAM_MIB } from '../core/zram.ts';
import { addAliasCommands } from './alias-commands.ts';
import { addBackupCommands } from './backup-commands.ts';
import { addAccessCommands, addLoginCommands } from './access-commands.ts';
import { addEnvCommands, addSecretsCommands } from './secrets-commands.ts';
import { addProjectCommands } from './project-commands.ts';
import { addStackCommands } from './stack-commands.ts';
import { addReleaseCommands } from './release-commands.ts';
import { serverOptions } from './server-options.ts';
import { addTlsCommands } from './tls-commands.ts';
import { integer, projectName, since, slotName, variable } from './values.ts';
import type { World } from './world.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly data?: string;
}

/** What a command's file exports: a number is the exit code. */
export interface Action {
  // Commander hands over what the definitions below say; each file names its own shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  run(...args: any[]): Promise<void> | Promise<number>;
}

/** Loads a command's file and runs it with its arguments, then its options. */
export type Act = (load: () => Promise<Action>, args: readonly unknown[]) => Promise<void>;

/** Makes what commander calls of the file that does it. */
export type Calls = (load: () => Promise<Action>) => (this: Command) => Promise<void>;

const SERVING = 'Running Berth';
const DEPLOYING = 'Deploying';
const RELEASING = 'Releasing';
const LOOKING = 'Looking';
const PEOPLE = 'People and teams';

/** The program. `isDeployDefault`: arguments that begin with no command are those of `deploy`. */
export function createProgram(
  world: Pick<World, 'version' | 'env' | 'clock' | 'stdout'>,
  isDeployDefault: boolean,
  act: Act,
): Command {
  const program = new Command('berth')
    .description(
      'A folder with a Dockerfile becomes an immutable URL that costs nothing while idle.\n`berth` alone in a folder deploys it.',
    )
    .version(world.version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand('help [command]', 'show this help, or that of a command')
    .option('--json', 'write the result as JSON')
    .option('--data <folder>', 'data folder of the server (BERTH_DATA)')
    .configureHelp({ showGlobalOptions: true, sortOptions: false })
    .showSuggestionAfterError()
    .exitOverride()
    // Errors are reported in one place, with their code.
    .configureOutput({
      outputError: () => undefined,
      writeOut: (text) => world.stdout.write(text),
      writeErr: () => undefined,
    })
    .commandsGroup(`${DEPLOYING}:`);

  const calls: Calls = (load) =>
    async function action(this: Command) {
      await act(load, [...this.processedArgs, this.optsWithGlobals()]);
    };

  program
    .command('deploy', { isDefault: isDeployDefault })
    .description('deploy a folder, and print its URL')
    .argument('[folder]', 'the folder; otherwise this one')
    .option(
      '-n, --name <project>',
      'project it belongs to; otherwise `name` of the configuration, or the folder’s name',
      projectName,
    )
    .option(
      '-e, --env <name=value>',
      'variable of the app; NAME alone takes it from here; may be repeated',
      variable(world.env),
    )
    .option(
      '-b, --build-env <name=value>',
      'build argument (ARG); may be repeated',
      variable(world.env),
    )
    .option('--slot <slot>', 'CPU and memory of an instance, for example c.125-m512', slotName)
    .option('--port <port>', 'port the app listens on; otherwise it is found', integer(1, 65_535))
    .option('--image <reference>', 'deploy an existing image instead of a folder')
    .option('--prod', 'release it to production, and print that URL')
    .option(
      '--branch <name>',
      'release it to the preview of this branch; otherwise of the branch that git has here, unless that is main or master',
    )
    .option('--no-branch', 'no preview, whatever branch git has here')
    .option('--why <text>', 'shown in the history of releases')
    .option('--team <team>', 'team that a new project belongs to; otherwise that of your token')
    .option('--no-wait', 'return as soon as the server has everything')
    .option('--dry-run', 'show what would be deployed, and do not')
    .action(calls(() => import('./deploy.ts')));

  program
    .command('rm')
    .description('remove deployments with their instances, images and logs')
    .argument('<deployment...>', 'name, beginning of a name, or URL')
    .option('--with-aliases', 'remove the aliases that lead to them as well')
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./rm.ts')));

  addProjectCommands(program, calls);

  program
    .command('slots')
    .description('list the usual slots, and what fits this server')
    .action(calls(() => import('./slots.ts')));

  program.commandsGroup(`${RELEASING}:`);

  addReleaseCommands(program, calls);
  addAliasCommands(program, calls);
  addStackCommands(program, calls);
  addEnvCommands(program, calls);
  addSecretsCommands(program, calls);

  program.commandsGroup(`${LOOKING}:`);

  program
    .command('ls')
    .description('list deployments, newest first')
    .argument('[project]', 'only those of this project')
    .action(calls(() => import('./ls.ts')));

  program
    .command('inspect')
    .description('show everything about a deployment')
    .argument('<deployment>', 'name, beginning of a name, project, or URL')
    .action(calls(() => import('./inspect.ts')));

  program
    .command('logs')
    .description('show what the instances of a deployment wrote')
    .argument('<deployment>', 'name, beginning of a name, project, or URL')
    .option('-f, --follow', 'go on with new lines until ctrl-C')
    .option(
      '-n, --lines <count>',
      'at most so many of the newest lines (100, or all with --since)',
      integer(0, 100_000),
    )
    .option(
      '--since <time>',
      'only lines since: 10m, 2h, or an ISO 8601 time',
      since(() => world.clock.now()),
    )
    .action(calls(() => import('./logs.ts')));

  program
    .command('instances')
    .description('list instances and what each is doing')
    .argument('[deployment]', 'only those of this deployment')
    .action(calls(() => import('./instances.ts')));

  program
    .command('status')
    .description('show the running server: address, version, engine, counts')
    .action(calls(() => import('./status.ts')));

  program.commandsGroup(`${PEOPLE}:`);

  program
    .command('whoami')
    .description('show which server and account commands use')
    .action(calls(() => import('./whoami.ts')));
  addLoginCommands(program, calls);
  addAccessCommands(program, calls, world.clock);

  program.commandsGroup(`${SERVING}:`);

  serverOptions(
    program
      .command('up')
      .description('start the server in the background, and wait until it is healthy'),
  ).action(calls(() => import('./up.ts')));

  program
    .command('down')
    .description('stop the server; instances stay and are adopted by the next `up`')
    .option('--instances', 'stop and remove all instances as well')
    .action(calls(() => import('./down.ts')));

  serverOptions(program.command('serve').description('run the server in the foreground')).action(
    calls(() => import('./serve.ts')),
  );

  addBackupCommands(program, calls);
  addTlsCommands(program, calls);

  program
    .command('gc')
    .description('remove what nothing needs any more, and say why; runs by itself every hour')
    .option('--dry-run', 'show what would go and what stays, and do nothing')
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./gc.ts')));

  program
    .command('usage')
    .description('show what is used, by project and by kind')
    .option('--disk', 'on the disk, with the budget and a forecast')
    .action(calls(() => import('./usage.ts')));

  program
    .command('doctor')
    .description(
      'say what is missing or odd on this host, and what to do; changes nothing unless asked',
    )
    .addOption(
      new Option(
        '--fix <what>',
        'set up compressed swap in memory, so that sleepers hold a third; needs root',
      ).choices(['zram']),
    )
    .addOption(
      new Option('--undo <what>', 'take away what --fix has set up')
        .choices(['zram'])
        .conflicts('fix'),
    )
    .option(
      '--size <mebibytes>',
      'of the zram device (half of the memory, at most 8192)',
      integer(LEAST_ZRAM_MIB, 1_048_576),
    )
    .action(calls(() => import('./doctor.ts')));

  return program;
}
