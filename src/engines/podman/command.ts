/** How Podman is called, by the service and by builds alike: same storage, runtime and environment. */
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import { installRunc } from './runc.ts';

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
  /** Before the subcommand of the service: with the quick runtime. */
  readonly serviceArguments: readonly string[];
  /** Before the subcommand of everything else, builds above all: what they are given must not reach our shell. */
  readonly plainArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Berth's folder for Podman's own matters. */
  readonly folder: string;
}

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
  const folder = join(options.dataFolder, 'podman');
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
  const runtime =
    options.runtime === 'runc' && shell !== undefined
      ? installRunc(folder, realRuntime, shell)
      : options.runtime;
  const storage =
    options.storageRoot === undefined
      ? []
      : [
          '--root',
          join(options.storageRoot, 'root'),
          '--runroot',
          join(options.storageRoot, 'run'),
        ];
  const registries = writeRegistries(folder);
  const passed = PASSED_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // cgroupfs: Berth writes quotas and freezers itself. file: events do not depend on a journal being there.
  const common = [...storage, '--cgroup-manager=cgroupfs', '--events-backend=file'];
  return {
    program,
    folder,
    serviceArguments: [...common, `--runtime=${runtime}`],
    plainArguments: [...common, `--runtime=${options.runtime}`],
    environment: {
      ...Object.fromEntries(passed),
      PATH: path,
      ...(registries === undefined ? {} : { CONTAINERS_REGISTRIES_CONF: registries }),
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

/**
 * Dockerfiles say `FROM node:24` and mean Docker Hub. A host whose registries.conf names no registry for such names
 * gets its own text with docker.io added, in our folder; a host that has made its choice keeps it (undefined).
 */
function writeRegistries(folder: string): string | undefined {
  const system = '/etc/containers/registries.conf';
  const dropIns = `${system}.d`;
  const texts = [system, ...readFolder(dropIns).map((name) => join(dropIns, name))].map(readText);
  if (texts.some((text) => /^\s*unqualified-search-registries\s*=/m.test(text))) return undefined;
  const file = join(folder, 'registries.conf');
  // A top-level key has to stand before the first table.
  const text = `unqualified-search-registries = ["docker.io"]\n\n${texts.join('\n')}`;
  if (readText(file) !== text) writeFileSync(file, text);
  return file;
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .toSorted();
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
