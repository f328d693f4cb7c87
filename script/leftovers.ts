/** What a run of the tests left on the machine: `before FILE` notes what is there, `after FILE FOLDER` names what came. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { systemClock } from '../src/system/clock.ts';

/** Kind → names: what was seen on the machine at one moment. */
export type Traces = Readonly<Record<string, readonly string[]>>;

/** Time for what is ending to be gone, in ms: a container's monitor outlives the container by a little. */
const PATIENCE_MS = 15_000;

/** Empty folders that the engine makes once and keeps. */
const KEPT = new Set([
  'cgroup libpod_parent',
  'cgroup libpod_parent/conmon',
  'cgroup berth',
  'cgroup berth/conmon',
  'mount /run/netns',
]);

/** Everything of the kinds that Berth and its engine make, whoever made it. */
async function observe(): Promise<Traces> {
  return {
    container: await podman(
      'ps',
      '--all',
      '--external',
      '--format',
      '{{.ID}} {{.Names}} {{.Image}}',
    ),
    image: await podman('images', '--format', '{{.ID}} {{.Repository}}:{{.Tag}}'),
    network: await podman('network', 'ls', '--format', '{{.Name}}'),
    volume: await podman('volume', 'ls', '--format', '{{.Name}}'),
    mount: await mounts(),
    cgroup: await cgroups(),
    interface: await readdir('/sys/class/net').catch(() => []),
    namespace: await readdir('/run/netns').catch(() => []),
  };
}

/** Lines of Podman's output; none when there is no Podman. */
async function podman(...args: readonly string[]): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)('podman', [...args]);
    return stdout.split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function mounts(): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
}

/** Cgroups of containers in every hierarchy (version 1 has several), by their path inside it. */
async function cgroups(): Promise<readonly string[]> {
  const top = '/sys/fs/cgroup';
  const found = new Set<string>();
  for (const hierarchy of [top, ...(await folders(top)).map((name) => `${top}/${name}`)]) {
    for (const name of await folders(hierarchy)) {
      if (!/^(?:berth|libpod|machine)/.test(name)) continue;
      found.add(name);
      for (const inner of await folders(`${hierarchy}/${name}`)) found.add(`${name}/${inner}`);
    }
  }
  return [...found];
}

async function folders(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/**
 * Processes that belong to a run: `folder` (the run's own TMPDIR) is in their environment, command line or working
 * directory. So a process that left its parents is found, and those of others on the machine are not.
 */
export async function processesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
    const where = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (`${await read('environ')}\n${command}\n${where}`.includes(folder)) {
      found.push(`${pid} ${command.slice(0, 120)}`);
    }
  }
  return found;
}

/** What is in `after` and was not in `before`, one line each. */
export function leftovers(before: Traces, after: Traces): readonly string[] {
  return Object.entries(after).flatMap(([kind, names]) => {
    const known = new Set(before[kind]);
    return names
      .filter((name) => !known.has(name))
      .map((name) => `${kind} ${name}`)
      .filter((line) => !KEPT.has(line));
  });
}

async function after(file: string, folder: string): Promise<readonly string[]> {
  const before = JSON.parse(await readFile(file, 'utf8')) as Traces;
  const deadline = systemClock.now() + PATIENCE_MS;
  for (;;) {
    const left = leftovers(before, {
      ...(await observe()),
      process: await processesOf(folder),
      file: (await readdir(folder, { recursive: true })).slice(0, 20),
    });
    if (left.length === 0 || systemClock.now() > deadline) return left;
    await systemClock.sleep(500);
  }
}

async function main(): Promise<number> {
  const [command, file, folder] = process.argv.slice(2);
  if (command === 'before' && file) {
    await writeFile(file, JSON.stringify(await observe()));
    return 0;
  }
  if (command === 'after' && file && folder) {
    const left = await after(file, folder);
    if (left.length === 0) return 0;
    console.error(`The tests left behind:\n${left.map((line) => `  ${line}`).join('\n')}`);
    return 1;
  }
  console.error('script/leftovers.ts before FILE | after FILE FOLDER');
  return 2;
}

if (import.meta.main) process.exitCode = await main();
