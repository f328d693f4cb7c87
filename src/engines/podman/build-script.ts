/** The little shell program in which a build runs, so that it outlives Berth, and how its secrets are kept out of sight. */
import type { PodmanCommand } from './command.ts';

/** Parent of the cgroups of all builds. */
export const BUILDS_CGROUP = '/berth-builds';

/** Where one build keeps its files, and the cgroup of its RUN steps, which is also the mark of what is its own. */
export interface BuildPlace {
  readonly id: string;
  readonly home: string;
  readonly cgroup: string;
}

/** Names of the files in the folder of a build. */
export const BUILD_FILE = {
  /** `/proc/PID/stat` of the shell: its pid, and when it started. */
  process: 'process',
  output: 'output.log',
  /** Exit status of Podman; there when the build has ended and all its output is written. */
  status: 'status',
  timedOut: 'timed-out',
  imageId: 'image-id',
  /** TMPDIR of the build. */
  scratch: 'scratch',
} as const;

/**
 * Arguments: folder, longest time in s, cgroup, then the command.
 *
 * At the time limit the processes of the RUN step are killed first: Podman then fails that step and cleans up itself, which
 * it does not when it is signalled. The watchdog holds no end of the pipe, and its sleep ends with it.
 */
export const BUILD_SCRIPT = `
folder=$1; limit=$2; cgroup=$3; shift 3
cd "$folder" || exit 1
umask 077
read -r stat </proc/$$/stat
echo "$stat" >${BUILD_FILE.process}.new && mv ${BUILD_FILE.process}.new ${BUILD_FILE.process} || exit 1
low="nice -n 10"
command -v ionice >/dev/null && low="$low ionice -c 2 -n 7"
build() {
  $low "$@" </dev/null &
  child=$!
  {
    sleep "$limit" & nap=$!
    trap 'kill $nap; exit 0' TERM
    wait $nap
    : >${BUILD_FILE.timedOut}
    cat /sys/fs/cgroup/*"$cgroup"/cgroup.procs /sys/fs/cgroup"$cgroup"/cgroup.procs | sort -u | xargs -r kill -KILL
    sleep 5; kill -TERM $child
    sleep 5; kill -KILL $child
  } >/dev/null 2>&1 &
  watchdog=$!
  wait $child
  echo $? >${BUILD_FILE.status}.new
  kill $watchdog
}
if [ -n "$BERTH_REDACTIONS" ]; then
  redactions=$BERTH_REDACTIONS; unset BERTH_REDACTIONS
  build "$@" 2>&1 | LC_ALL=C sed -u -f /dev/fd/3 >${BUILD_FILE.output} 3<<END
$redactions
END
else
  build "$@" >${BUILD_FILE.output} 2>&1
fi
mv ${BUILD_FILE.status}.new ${BUILD_FILE.status}
`;

export interface BuildLimits {
  /** Of each RUN step. */
  readonly memoryMiB: number;
  /** Cores that RUN steps may use. */
  readonly cpus: number;
}

export interface BuildInvocation {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface BuildParameters {
  readonly command: PodmanCommand;
  readonly limits: BuildLimits;
  readonly labels: Readonly<Record<string, string>>;
  /** Folder of the build, with BUILD_FILEs. */
  readonly home: string;
  readonly cgroup: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}

const MIB = 1024 * 1024;
const CPU_PERIOD_US = 100_000;
const LOW_CPU_SHARES = 128;
/**
 * Podman and its many short children hold some 5 MB each: collected at twice that, as Go does by itself, a tenth of a build's
 * CPU goes there. A factor, and no fixed amount, so that a build that holds much is collected in time as well.
 */
const GARBAGE_PERCENT = '400';

/** The command line of Podman, program first, and its whole environment. */
export function buildInvocation(parameters: BuildParameters): BuildInvocation {
  const { command, limits, home, buildArgs } = parameters;
  const inEnvironment = Object.entries(buildArgs).filter(([name]) => isSafeVariable(name, command));
  const memory = `${limits.memoryMiB * MIB}b`;
  const redactions = redactionScript(buildArgs);
  return {
    arguments: [
      command.program,
      ...command.plainArguments,
      'build',
      // Keeps SHELL, which the OCI form of images drops.
      '--format=docker',
      '--layers',
      '--force-rm',
      '--pull=missing',
      `--file=${parameters.dockerfile}`,
      `--iidfile=${home}/${BUILD_FILE.imageId}`,
      `--memory=${memory}`,
      `--memory-swap=${memory}`,
      `--cpu-period=${CPU_PERIOD_US}`,
      `--cpu-quota=${Math.round(limits.cpus * CPU_PERIOD_US)}`,
      `--cpu-shares=${LOW_CPU_SHARES}`,
      `--cgroup-parent=${parameters.cgroup}`,
      ...Object.entries(parameters.labels).map(([name, value]) => `--label=${name}=${value}`),
      ...Object.entries(buildArgs).map(([name, value]) =>
        isSafeVariable(name, command) ? `--build-arg=${name}` : `--build-arg=${name}=${value}`,
      ),
      parameters.context,
    ],
    environment: {
      ...command.plainEnvironment,
      ...Object.fromEntries(inEnvironment),
      TMPDIR: `${home}/${BUILD_FILE.scratch}`,
      GOGC: GARBAGE_PERCENT,
      ...(redactions === '' ? {} : { BERTH_REDACTIONS: redactions }),
    },
  };
}

/** What programs on the way (the loader, libc, Go, the shell, Podman, the runtime) read for themselves. */
const READ_BY_PROGRAMS = new RegExp(
  `^(${[
    'LD_.*|GCONV_PATH|GLIBC_TUNABLES|MALLOC_.*|LOCPATH|NLSPATH|LANG|LANGUAGE|LC_.*|TZ|TZDIR',
    'RES_OPTIONS|HOSTALIASES|LOCALDOMAIN|NOTIFY_SOCKET|LISTEN_.*|DBUS_.*|XDG_.*',
    'GODEBUG|GOGC|GOMAXPROCS|GOMEMLIMIT|GOTRACEBACK|GORACE|GOROOT|GOPATH|GOCOVERDIR|GOFIPS.*',
    'PATH|HOME|USER|LOGNAME|PWD|OLDPWD|SHELL|SHELLOPTS|TMP|TEMP|TMPDIR|IFS|ENV|CDPATH|OPTIND',
    'PS\\d|PPID|BASH_?.*|POSIXLY_CORRECT|TERM|NO_COLOR|SOURCE_DATE_EPOCH|_.*',
    'CONTAINERS_.*|CONTAINER_(HOST|SSHKEY|CONNECTION)|PODMAN_.*|BUILDAH_.*|STORAGE_(DRIVER|OPTS)',
    'REGISTRY_AUTH_FILE|DOCKER_(CONFIG|HOST|CERT_PATH|TLS_VERIFY|API_VERSION|CONTEXT)|SSL_CERT_.*',
    'SSH_AUTH_SOCK|SSH_AGENT_PID|NETAVARK_.*|BERTH_REDACTIONS|.*_proxy',
  ].join('|')})$`,
  'i',
);

/**
 * Whether a build argument may go to Podman as a variable of its environment, which only root can read, and not on the
 * command line, which everybody sees in `ps`. Not those that would mean something to a program on the way.
 */
function isSafeVariable(name: string, command: PodmanCommand): boolean {
  return (
    /^[A-Za-z]\w*$/.test(name) &&
    !READ_BY_PROGRAMS.test(name) &&
    !(name in command.plainEnvironment)
  );
}

/** Shorter values are no secrets, and would tear words of the output apart. */
const SHORTEST_SECRET = 4;

/** A sed program that puts `[NAME]` in place of the values of build arguments; longest first, because one may hold another. */
export function redactionScript(buildArgs: Readonly<Record<string, string>>): string {
  return Object.entries(buildArgs)
    .flatMap(([name, value]) => value.split(/\r?\n/).map((line) => ({ name, line: line.trim() })))
    .filter(({ line }) => line.length >= SHORTEST_SECRET)
    .toSorted((one, other) => other.line.length - one.line.length)
    .map(({ name, line }) => `s/${escapePattern(line)}/[${name.replace(/[^\w.-]/g, '_')}]/g`)
    .join('\n');
}

function escapePattern(text: string): string {
  return text.replace(/[\\/.*[\]^$]/g, '\\$&');
}
