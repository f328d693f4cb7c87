/** Every command with its arguments and options; what a command does is loaded when it is called. */
import { Command, Option } from 'commander';
import { LEAST_ZRAM_MIB } from '../core/zram.ts';
import { addAliasCommands } from './alias-commands.ts';
import { addBackupCommands } from './backup-commands.ts';
import { addAccessCommands, addLoginCommands } from './access-commands.ts';
import { addEnvCommands, addSecretsCommands } from './secrets-commands.ts';
import {
  byteSize,
  directoryUrl,
  environmentName,
  integer,
  lifetime,
  addressRanges,
  listenAddress,
  projectName,
  since,
  slotName,
  span,
  variable,
} from './values.ts';
import type { World } from './world.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly data?: string;
}

/** What a command's file exports. */
export interface Action {
  // Commander hands over what the definitions below say; each file names its own shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  run(...args: any[]): Promise<void>;
}

/** Loads a command's file and runs it with its arguments, then its options. */
export type Act = (load: () => Promise<Action>, args: readonly unknown[]) => Promise<void>;

/** Makes what commander calls of the file that does it. */
export type Calls = (load: () => Promise<Action>) => (this: Command) => Promise<void>;

const SERVING = 'Running Berth';
const DEPLOYING = 'Deploying';
const RELEASING = 'Releasing';
const LOOKING = 'Looking';

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
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./rm.ts')));

  program
    .command('slots')
    .description('list the usual slots, and what fits this server')
    .action(calls(() => import('./slots.ts')));

  program.commandsGroup(`${RELEASING}:`);

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
    .option('-y, --yes', 'do not ask')
    .action(calls(() => import('./environments-rm.ts')));

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

  program
    .command('whoami')
    .description('show which server and account commands use')
    .action(calls(() => import('./whoami.ts')));
  addLoginCommands(program, calls);

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

  addAliasCommands(program, calls);
  addEnvCommands(program, calls);
  addSecretsCommands(program, calls);
  addAccessCommands(program, calls, world.clock);
  addBackupCommands(program, calls);

  const tls = program
    .command('tls')
    .description('certificates: which there are, one’s own, and how to trust the local authority');
  tls
    .command('ls', { isDefault: true })
    .description('list certificates and what each serves')
    .action(calls(() => import('./tls-ls.ts')));
  tls
    .command('add')
    .description('serve a hostname with a certificate of one’s own, from the next visit on')
    .argument('<hostname>', 'a hostname, or a wildcard such as *.example.com')
    .requiredOption('--cert <file>', 'PEM: the certificate, then who signed it')
    .requiredOption('--key <file>', 'PEM: its private key')
    .action(calls(() => import('./tls-add.ts')));
  tls
    .command('rm')
    .description('remove one’s own certificate of a hostname, or the automatic one')
    .argument('<hostname>', 'as `berth tls ls` shows it')
    .action(calls(() => import('./tls-rm.ts')));
  tls
    .command('trust')
    .description(
      'say how to trust the local authority, so that browsers accept https on this machine',
    )
    .option('-o, --output <file>', 'write its certificate to this file first')
    .option('--install', 'do it for the programs of this machine: Debian or Ubuntu, as root')
    .action(calls(() => import('./tls-trust.ts')));

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

/** The options that `up` and `serve` share. */
export interface ServerOptions extends GlobalOptions {
  readonly listen: string;
  readonly domain: string;
  readonly engine: 'podman' | 'memory';
  readonly memoryBudget?: number;
  readonly buildTimeout?: number;
  readonly storage?: string;
  readonly diskBudget?: number;
  readonly deploysPerMinute?: number;
  readonly previewTtl?: number;
  readonly keepReleases?: number;
  readonly keepProduction?: number;
  readonly failedTtl?: number;
  readonly cacheTtl?: number;
  readonly accessLog: 'on' | 'off';
  readonly trustedProxies?: readonly string[];
  readonly openMetrics?: boolean;
  readonly listenTls?: string;
  readonly httpsRedirect?: boolean;
  readonly hsts?: number;
  readonly acmeEmail?: string;
  readonly acmeDirectory?: string;
  readonly acmeCa?: string;
}

function serverOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--listen <host:port>', 'address to listen on; port 0 takes a free one')
        .default('127.0.0.1:8080')
        .argParser(listenAddress),
    )
    .option('--domain <name>', 'what hostnames of deployments end in', 'localhost')
    .option(
      '--memory-budget <MiB>',
      'memory that instances at rest may hold; otherwise a share of the host’s',
      integer(0, 16_777_216),
    )
    .option('--build-timeout <time>', 'longest build, for example 15m', span)
    .option(
      '--disk-budget <size>',
      'what images, build cache, logs and uploads may take, for example 50G; otherwise 80 % of the disk',
      byteSize,
    )
    .option(
      '--preview-ttl <time>',
      'how long a deployment that no environment or alias names lives after its last request (7d); `never` ends it',
      lifetime,
    )
    .option(
      '--keep-releases <count>',
      'releases of each environment that can be rolled back to (20)',
      integer(1, 10_000),
    )
    .option(
      '--keep-production <time>',
      'and whatever took traffic in production within this time (30d)',
      lifetime,
    )
    .option('--failed-ttl <time>', 'how long a failed deploy is kept (3d)', lifetime)
    .option(
      '--cache-ttl <time>',
      'how long layers that speed up builds are kept after their last use (7d)',
      lifetime,
    )
    .option(
      '--deploys-per-minute <count>',
      'of one team, and of one token; ten minutes’ worth at once (10)',
      integer(1, 100_000),
    )
    .option('--storage <folder>', 'where Podman keeps images; otherwise where it usually does')
    .addOption(
      new Option('--access-log <on|off>', 'a line of the log for each request')
        .choices(['on', 'off'])
        .default('on'),
    )
    .option(
      '--trusted-proxies <ranges>',
      'proxies in front of Berth whose x-forwarded-*, forwarded and x-request-id are kept: 10.0.0.0/8,::1; otherwise they are replaced',
      addressRanges,
    )
    .option('--open-metrics', 'answer GET /metrics without a token')
    .option('--listen-tls <host:port>', 'address for https; otherwise there is none', listenAddress)
    .option('--https-redirect', 'send plain requests for deployments to https')
    .option('--hsts <time>', 'tell browsers to use https only, for so long: 180d', span)
    .option(
      '--acme-email <address>',
      'get certificates automatically, and agree to the terms of who issues them; the address hears of problems',
    )
    .option(
      '--acme-directory <url>',
      'ACME directory to get them from; otherwise Let’s Encrypt',
      directoryUrl,
    )
    .option('--acme-ca <file>', 'PEM: who vouches for the address of a directory of one’s own')
    .addOption(
      new Option(
        '--engine <name>',
        'what runs containers; `memory` only pretends, for trying things out',
      )
        .choices(['podman', 'memory'])
        .default('podman'),
    );
}
