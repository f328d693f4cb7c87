/** Ends builds and takes away what killed ones leave: processes, working containers, runtime state, folders. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../ports/clock.ts';
import { BUILD_FILE, type BuildPlace } from './build-script.ts';
import type { PodmanCommand } from './command.ts';
import { isAlive } from './process.ts';

const CGROUPS = '/sys/fs/cgroup';
/** Builds together weigh this much of a core's 1024 (v1) or 100 (v2) against everything that serves. */
const BUILDS_CPU = { shares: '128', weight: '12' };
const SELF_CLEANING_MS = 5_000;
const END_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 60_000;

/** Makes the parent cgroup of all builds and gives it little weight; without the right to, builds run all the same. */
export async function lowerPriority(cgroup: string): Promise<void> {
  for (const [folder, file, value] of [
    [`${CGROUPS}/cpu${cgroup}`, 'cpu.shares', BUILDS_CPU.shares],
    [`${CGROUPS}${cgroup}`, 'cpu.weight', BUILDS_CPU.weight],
  ] as const) {
    try {
      await readdir(dirname(folder));
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, file), value, { flag: 'r+' });
    } catch {
      // The other version of cgroups, or not ours to set.
    }
  }
}

/**
 * Ends a running build. A RUN step is killed first: Podman then fails the step and cleans up after itself, which it does not
 * do when it is signalled.
 */
export async function endBuild(
  build: BuildPlace,
  running: { readonly pid: number; readonly startTicks: number },
  clock: Clock,
): Promise<void> {
  const { pid, startTicks } = running;
  const hasEnded = async (waitMs: number) => {
    const until = clock.now() + waitMs;
    while (isAlive(pid, startTicks)) {
      if (clock.now() > until) return false;
      await clock.sleep(5);
    }
    return true;
  };
  if ((await killAll(build.cgroup)) > 0 && (await hasEnded(SELF_CLEANING_MS))) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalGroup(pid, signal);
    const until = clock.now() + END_TIMEOUT_MS;
    // The shell goes at once; the group is there until Podman has gone too.
    while (signalGroup(pid, 0) && clock.now() < until) await clock.sleep(5);
    if (!signalGroup(pid, 0)) return;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Takes away what a build that has ended may have left; its files too, unless its outcome may still be asked for. */
export async function sweepBuild(
  build: BuildPlace,
  command: PodmanCommand,
  clock: Clock,
  { keepsFiles = false } = {},
): Promise<void> {
  while ((await killAll(build.cgroup)) > 0) await clock.sleep(5);
  await removeWorkingContainers(build, command);
  await removeRuntimeState(build, command);
  await removeCgroup(build.cgroup);
  await removeFolder(keepsFiles ? join(build.home, BUILD_FILE.scratch) : build.home);
  // The folder of the build, if nobody else has anything in it.
  if (!keepsFiles) await rmdir(dirname(build.home)).catch(() => undefined);
}

/** Kills what runs in the cgroup; how many there were. */
async function killAll(cgroup: string): Promise<number> {
  const pids = new Set<number>();
  for (const folder of await cgroupFolders(cgroup)) {
    const text = await readFile(join(folder, 'cgroup.procs'), 'latin1').catch(() => '');
    for (const line of text.split('\n')) if (line !== '') pids.add(Number(line));
  }
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has gone.
    }
  }
  return pids.size;
}

async function removeCgroup(cgroup: string): Promise<void> {
  for (const folder of await cgroupFolders(cgroup)) await rmdir(folder).catch(() => undefined);
}

/** The cgroup in every hierarchy, of either version, where it exists. */
async function cgroupFolders(cgroup: string): Promise<string[]> {
  const hierarchies = (await readdir(CGROUPS).catch(() => [])).map((name) => join(CGROUPS, name));
  const folders: string[] = [];
  for (const hierarchy of [CGROUPS, ...hierarchies]) {
    const folder = hierarchy + cgroup;
    if (await readdir(folder).catch(() => undefined)) folders.push(folder);
  }
  return folders;
}

/**
 * Buildah's working containers are unknown to Podman's own lists of labels; each keeps its parameters in a file, and our
 * cgroup among them is the mark by which it is ours.
 */
async function removeWorkingContainers(build: BuildPlace, command: PodmanCommand): Promise<void> {
  const graphRoot = (await run(command, ['info', '--format={{.Store.GraphRoot}}'])).trim();
  if (graphRoot === '') return;
  const stores = (await readdir(graphRoot)).filter((name) => name.endsWith('-containers'));
  for (const store of stores) {
    for (const id of await readdir(join(graphRoot, store)).catch(() => [])) {
      const file = join(graphRoot, store, id, 'userdata', 'buildah.json');
      const text = await readFile(file, 'utf8').catch(() => '');
      if (text.includes(`"${build.cgroup}"`)) await run(command, ['rm', '--force', id]);
    }
  }
}

/** What the runtime remembers of RUN steps whose Podman was killed. */
async function removeRuntimeState(build: BuildPlace, command: PodmanCommand): Promise<void> {
  const runtime = command.plainArguments.includes('--runtime=crun') ? 'crun' : 'runc';
  const root = `/run/${runtime}`;
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith('buildah-')) continue;
    const file = join(root, name, runtime === 'crun' ? 'status' : 'state.json');
    const text = await readFile(file, 'utf8').catch(() => '');
    const isOurs = text.includes(`${build.cgroup}"`) || text.includes(`${build.cgroup}/`);
    if (isOurs) {
      await execute(runtime, ['delete', '--force', name], { env: command.plainEnvironment }).catch(
        () => undefined,
      );
    }
  }
}

/** Not while something is mounted in it: removing would reach into images. */
async function removeFolder(folder: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  if (mounts.includes(` ${folder}/`)) return;
  await rm(folder, { recursive: true, force: true });
}

const execute = promisify(execFile);

/** What a Podman command prints; empty when it fails: sweeping goes on with the rest. */
async function run(command: PodmanCommand, args: readonly string[]): Promise<string> {
  const options = { env: command.plainEnvironment, timeout: COMMAND_TIMEOUT_MS };
  return execute(command.program, [...command.plainArguments, ...args], options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
