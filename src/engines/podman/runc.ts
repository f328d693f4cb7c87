/**
 * The runtime with a few lines of shell in front of it. See docs/decisions/0008-parked-start.md and 0011-secret-values.md.
 *
 * - `create`: a container with secrets is created from a copy of its configuration in memory, with their values in it. What
 *   is told of the container elsewhere has placeholders. Without the values at hand it is refused.
 * - `start`: runc does nothing here but read one byte from the FIFO on which the parked process waits, and it takes a Go
 *   program 5 to 8 ms to get there; the shell needs 1.5 ms.
 * - `delete`: on cgroup v1 conmon does not notice that the kernel killed for memory, and with the cgroup its count goes. It is
 *   looked at before, and kept as an empty file.
 *
 * Everything else, and whatever is not as expected, goes to the runtime itself, which also words the errors. crun needs only
 * the first.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTANCES_CGROUP } from './names.ts';
import { SECRET_FILE, SECRETS_ANNOTATION } from './secret-files.ts';

export interface RuntimeProgram {
  readonly name: 'runc' | 'crun';
  /** Path of the real one. */
  readonly path: string;
  /** Path of bash. */
  readonly shell: string;
  /** Where the values of secrets are put for it; undefined: nowhere. */
  readonly secretsFolder: string | undefined;
}

/** Writes the program; its path. */
export function installRuntime(folder: string, runtime: RuntimeProgram): string {
  const file = join(folder, 'bin', runtime.name);
  const text = program(runtime, killedFolder(folder));
  mkdirSync(join(folder, 'bin'), { recursive: true, mode: 0o700 });
  mkdirSync(killedFolder(folder), { recursive: true, mode: 0o700 });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    writeFileSync(file, text);
    chmodSync(file, 0o700);
  }
  return file;
}

function program(runtime: RuntimeProgram, killed: string): string {
  const { name, path, shell } = runtime;
  return `#!${shell}
# Written by Berth: ${name} with a few lines in front of it.
id=\${*: -1}
case " $* " in
${[createCase(runtime), ...(name === 'runc' ? [RUNC_START, runcDelete(killed)] : [])].join('\n')}
esac
exec ${quote(path)} "$@"
`;
}

/**
 * Nothing here starts a program that would be given a value, and a here-document would be a file. Quotes in the replacement
 * keep bash from reading `&` and backslashes in it.
 */
function createCase({ name, path, secretsFolder }: RuntimeProgram): string {
  return `*" create "*)
  before=
  for word; do
    case $before in --bundle | -b) bundle=$word ;; esac
    before=$word
  done
  LC_ALL=C
  IFS= read -r -d '' config <"$bundle/config.json"
  if [[ $config == *'"${SECRETS_ANNOTATION}":"'* ]]; then
    given=${quote(secretsFolder ?? '/nowhere')}/$id
    if [[ ! -r $given/${SECRET_FILE.values} ]]; then
      echo 'This container has secrets, and only Berth can hand them over: it cannot be started by hand.' >&2
      exit 1
    fi
    while IFS= read -r placeholder && IFS= read -r value; do
      config=\${config//"$placeholder"/"$value"}
    done <"$given/${SECRET_FILE.values}"
    printf %s "$config" >"$given/${SECRET_FILE.bundle}/config.json" || exit 1
    words=() before=
    for word; do
      case $before in
      --bundle | -b) words+=("$given/${SECRET_FILE.bundle}") ;;
      *) words+=("$word") ;;
      esac
      before=$word
    done
    ${quote(path)} "\${words[@]}"
    status=$?
    rm -f "$given/${SECRET_FILE.bundle}/config.json"
    ${name === 'crun' ? CRUN_COPY : ':'}
    exit $status
  fi
  ;;`;
}

/** crun keeps a copy of the configuration for \`exec\`. */
const CRUN_COPY = `[[ ! -e /run/crun/$id/config.json ]] || cat "$bundle/config.json" >"/run/crun/$id/config.json"`;

const RUNC_START = `*" start "*)
  fifo=/run/runc/$id/exec.fifo
  # Opened for both directions, so that this cannot block when nobody is at the other end any more.
  if [[ -p $fifo ]] && exec 3<>"$fifo"; then
    if read -r -N 1 -t 5 -u 3; then
      rm -f "$fifo"
      exit 0
    fi
    exec 3<&-
  fi
  ;;`;

function runcDelete(killed: string): string {
  return `*" delete "*)
  count=/sys/fs/cgroup/memory${INSTANCES_CGROUP}/libpod-$id/memory.oom_control
  if [[ -r $count ]]; then
    while read -r name value; do
      if [[ $name == oom_kill && $value != 0 ]]; then : >${quote(killed)}/"$id"; fi
    done <"$count"
  fi
  ;;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function killedFolder(folder: string): string {
  return join(folder, 'killed-for-memory');
}

/** Whether the kernel killed a process of this container, which has ended, for its memory. */
export function wasKilledForMemory(folder: string, containerId: string): boolean {
  const cgroup = `${INSTANCES_CGROUP}/libpod-${containerId}`;
  for (const file of [
    `/sys/fs/cgroup/memory${cgroup}/memory.oom_control`,
    `/sys/fs/cgroup${cgroup}/memory.events`,
  ]) {
    try {
      const count = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'latin1'))?.[1];
      if (count !== undefined) return Number(count) > 0;
    } catch {
      // The other version of cgroups, or removed already.
    }
  }
  return existsSync(join(killedFolder(folder), containerId));
}

/** The container is removed: what was remembered of it too. */
export function forgetKilled(folder: string, containerId: string): void {
  rmSync(join(killedFolder(folder), containerId), { force: true });
}
