/** How Podman is called, by the service and by builds alike: same storage, runtime and environment. */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { BerthError } from '../../core/errors.ts';

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
  /** Before the subcommand. */
  readonly globalArguments: readonly string[];
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
  return {
    program,
    folder,
    globalArguments: [
      ...storage,
      // cgroupfs: Berth writes quotas and freezers itself. file: events do not depend on a journal being there.
      '--cgroup-manager=cgroupfs',
      '--events-backend=file',
      `--runtime=${installRuntime(folder, options.runtime, path)}`,
    ],
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
 * runc with a quick `start` in front of it, or the runtime's plain name.
 *
 * `runc start` does nothing but read one byte from the FIFO on which the parked process waits, and it takes a Go program
 * 5 to 8 ms to get there. The shell does it in 1.5 ms. See docs/decisions/parked-start.md. The file is called `runc` because
 * Podman remembers the runtime of a container by that name: `podman` as people call it finds its own runc for it.
 * crun is a C program and has nothing to gain.
 */
function installRuntime(folder: string, runtime: PodmanOptions['runtime'], path: string): string {
  const real = findProgram(runtime, path);
  const shell = findProgram('bash', path);
  if (real === undefined) {
    throw new BerthError('HOST_UNSUPPORTED', { detail: `${runtime} is not installed.` });
  }
  if (runtime !== 'runc' || shell === undefined) return runtime;
  const file = join(folder, 'bin', 'runc');
  const text = quickRuntime(shell, real);
  mkdirSync(join(folder, 'bin'), { recursive: true, mode: 0o700 });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    writeFileSync(file, text);
    chmodSync(file, 0o700);
  }
  return file;
}

/** Anything but the one known case goes to runc itself, which also words the errors. */
function quickRuntime(shell: string, runc: string): string {
  return `#!${shell}
# Written by Berth: runc, with a quick start of containers that are created and wait.
if [[ "\${*: -2:1}" == start ]]; then
  fifo=/run/runc/\${*: -1}/exec.fifo
  # Opened for both directions, so that this cannot block when nobody is at the other end any more.
  if [[ -p $fifo ]] && exec 3<>"$fifo" && read -r -N 1 -t 5 -u 3 && rm -f "$fifo"; then exit 0; fi
  exec 3<&-
fi
exec ${runc} "$@"
`;
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
