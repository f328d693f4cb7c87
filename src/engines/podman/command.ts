/** How Podman is called, by the service and by builds alike: same storage, runtime and environment. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import { writeRegistries, writeRuntime } from './host-config.ts';
import { installRuntime } from './runc.ts';
import { secretsFolder } from './secret-files.ts';

export interface PodmanOptions {
  /** Berth's data folder; Podman's part of it is `podman/`. */
  readonly dataFolder: string;
  /** Identity of this Berth: every container, image and network of ours carries it. */
  readonly ledgerId: string;
  readonly runtime: 'runc' | 'crun';
  /** A store of images and containers of its own; absent: the host's. */
  readonly storageRoot?: string;
}

export interface PodmanCommand {
  readonly program: string;
  /** Before the subcommand of the service, which is to use the quick runtime. */
  readonly serviceArguments: readonly string[];
  /** Before the subcommand of everything else, builds above all: what those are given must not reach our shell. */
  readonly plainArguments: readonly string[];
  readonly serviceEnvironment: Readonly<Record<string, string>>;
  readonly plainEnvironment: Readonly<Record<string, string>>;
  /** Berth's folder for Podman's own matters. */
  readonly folder: string;
  /** Where values of secrets are put for the runtime, in memory; undefined where that cannot be. */
  readonly secretsFolder: string | undefined;
}

/** Podman's own bound: sockets lie below it, and the kernel bounds their paths. */
const MOST_RUNROOT_CHARS = 50;

/** Folders with programs that a user's PATH may lack. */
const SYSTEM_FOLDERS = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
];

/** Variables of our own that Podman may see; the rest (tokens, NODE_OPTIONS, …) stays here. */
const PASSED_VARIABLES = [
  'HOME',
  'LANG',
  'XDG_RUNTIME_DIR',
  'TMPDIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'REGISTRY_AUTH_FILE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** Makes Berth's folder for Podman and what belongs into it. Throws HOST_UNSUPPORTED when Podman is not installed. */
export function preparePodman(options: PodmanOptions): PodmanCommand {
  const folder = join(resolve(options.dataFolder), 'podman');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = [...new Set([...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS])]
    .filter((entry) => entry !== '')
    .join(delimiter);
  const program = findProgram('podman', path);
  if (program === undefined) {
    throw new BerthError('HOST_UNSUPPORTED', { detail: 'Podman is not installed.' });
  }
  const realRuntime = findProgram(options.runtime, path);
  if (realRuntime === undefined) {
    throw new BerthError('HOST_UNSUPPORTED', { detail: `${options.runtime} is not installed.` });
  }
  const shell = findProgram('bash', path);
  const memoryFolder =
    shell === undefined ? undefined : secretsFolder(options.ledgerId, options.runtime);
  const quick =
    shell === undefined
      ? undefined
      : installRuntime(folder, {
          name: options.runtime,
          path: realRuntime,
          shell,
          secretsFolder: memoryFolder,
        });
  const runtimeConfig =
    quick === undefined ? undefined : writeRuntime(folder, options.runtime, quick, realRuntime);
  const storage = options.storageRoot === undefined ? [] : storageArguments(options.storageRoot);
  const registries = writeRegistries(folder);
  const passed = PASSED_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // cgroupfs: Berth writes quotas and freezers itself. file: events do not depend on a journal being there.
  const common = [...storage, '--cgroup-manager=cgroupfs', '--events-backend=file'];
  const plainEnvironment = {
    ...Object.fromEntries(passed),
    PATH: path,
    ...(registries === undefined ? {} : { CONTAINERS_REGISTRIES_CONF: registries }),
  };
  return {
    program,
    folder,
    secretsFolder: memoryFolder,
    plainArguments: [...common, `--runtime=${options.runtime}`],
    plainEnvironment,
    // By its path only where it cannot be had by name: Podman then asks for that path whenever it meets the container.
    serviceArguments: [
      ...common,
      `--runtime=${(runtimeConfig === undefined ? quick : undefined) ?? options.runtime}`,
    ],
    serviceEnvironment: {
      ...plainEnvironment,
      ...(runtimeConfig === undefined ? {} : { CONTAINERS_CONF: runtimeConfig }),
    },
  };
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((entry) => join(entry, name))
    .find(canRun);
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Throws HOST_UNSUPPORTED for a folder that Podman would refuse without saying which. */
function storageArguments(folder: string): readonly string[] {
  const run = join(folder, 'run');
  if (run.length > MOST_RUNROOT_CHARS) {
    const most = MOST_RUNROOT_CHARS - '/run'.length;
    throw new BerthError('HOST_UNSUPPORTED', {
      detail: `The path of --storage may have ${most} characters, as Podman wants it; ${folder} has ${folder.length}.`,
    });
  }
  return ['--root', join(folder, 'root'), '--runroot', run];
}
