/**
 * runc with a few lines of shell in front of it, which do two things better. See docs/decisions/0008-parked-start.md.
 *
 * - `start`: runc does nothing here but read one byte from the FIFO on which the parked process waits, and it takes a Go
 *   program 5 to 8 ms to get there; the shell needs 1.5 ms.
 * - `delete`: on cgroup v1 conmon does not notice that the kernel killed for memory, and with the cgroup its count goes. It is
 *   looked at before, and kept as an empty file.
 *
 * Everything else, and whatever is not as expected, goes to runc itself, which also words the errors. crun needs neither.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTANCES_CGROUP } from './names.ts';

/** Writes the program; its path. */
export function installRunc(folder: string, runc: string, shell: string): string {
  const file = join(folder, 'bin', 'runc');
  const text = program(shell, runc, killedFolder(folder));
  mkdirSync(join(folder, 'bin'), { recursive: true, mode: 0o700 });
  mkdirSync(killedFolder(folder), { recursive: true, mode: 0o700 });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    writeFileSync(file, text);
    chmodSync(file, 0o700);
  }
  return file;
}

function program(shell: string, runc: string, killed: string): string {
  return `#!${shell}
# Written by Berth: runc, quicker to start what waits, and remembering what was killed for memory.
id=\${*: -1}
case " $* " in
*" start "*)
  fifo=/run/runc/$id/exec.fifo
  # Opened for both directions, so that this cannot block when nobody is at the other end any more.
  if [[ -p $fifo ]] && exec 3<>"$fifo"; then
    if read -r -N 1 -t 5 -u 3; then
      rm -f "$fifo"
      exit 0
    fi
    exec 3<&-
  fi
  ;;
*" delete "*)
  count=/sys/fs/cgroup/memory${INSTANCES_CGROUP}/libpod-$id/memory.oom_control
  if [[ -r $count ]]; then
    while read -r name value; do
      if [[ $name == oom_kill && $value != 0 ]]; then : >${quote(killed)}/"$id"; fi
    done <"$count"
  fi
  ;;
esac
exec ${quote(runc)} "$@"
`;
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
