/** Where the control files of a container are, on cgroup v1, hybrid and v2, and what is read and written there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** One controller of one container. */
export interface Controller {
  readonly version: 1 | 2;
  readonly folder: string;
}

export interface Cgroup {
  readonly freezer: Controller;
  readonly cpu: Controller;
  readonly memory: Controller;
}

const CPU_PERIOD_US = 100_000;
/** The kernel refuses quotas below 1 ms. */
const MIN_CPU_QUOTA_US = 1_000;
const FREEZE_TIMEOUT_MS = 5_000;

/**
 * Text of `/proc/PID/cgroup` → the folders of its controllers.
 *
 * | host | line of the freezer | folder |
 * |---|---|---|
 * | v1, hybrid | `6:freezer:/berth/libpod-ID` | `/sys/fs/cgroup/freezer/berth/libpod-ID` |
 * | v2 | `0::/berth/libpod-ID` | `/sys/fs/cgroup/berth/libpod-ID` |
 * | hybrid, controller moved to v2 | `0::/berth/libpod-ID` | `/sys/fs/cgroup/unified/berth/libpod-ID` |
 *
 * Undefined when a path does not belong to container `containerId`: then the process is not (or no longer) its own,
 * and nothing may be written, least of all to the root of a hierarchy.
 */
export function resolveCgroup(text: string, containerId: string): Cgroup | undefined {
  const paths = new Map<string, { readonly mount: string; readonly path: string }>();
  let unifiedPath: string | undefined;
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (!match) continue;
    const [, hierarchy, names = '', path = '/'] = match;
    if (hierarchy === '0' && names === '') unifiedPath = path;
    else for (const name of names.split(',')) paths.set(name, { mount: names, path });
  }
  const hasVersion1 = [...paths.keys()].some((name) => !name.startsWith('name='));
  const unifiedMount = hasVersion1 ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';

  const controller = (name: string): Controller | undefined => {
    const found = paths.get(name);
    const path = found?.path ?? unifiedPath;
    if (path === undefined || !path.includes(containerId)) return undefined;
    const mount = found ? `/sys/fs/cgroup/${found.mount}` : unifiedMount;
    return { version: found ? 1 : 2, folder: mount + path };
  };
  const freezer = controller('freezer');
  const cpu = controller('cpu');
  const memory = controller('memory');
  return freezer && cpu && memory ? { freezer, cpu, memory } : undefined;
}

/** The cgroup of a live process, or undefined when it is gone or does not belong to the container. */
export function readCgroup(pid: number, containerId: string): Cgroup | undefined {
  try {
    return resolveCgroup(readFileSync(`/proc/${pid}/cgroup`, 'latin1'), containerId);
  } catch {
    return undefined;
  }
}

/** Stops every process of the cgroup and resolves when all stand still. Throws ENGINE_FAILED, thawed again, after 5 s. */
export async function freezeCgroup(freezer: Controller, clock: Clock): Promise<void> {
  const until = clock.now() + FREEZE_TIMEOUT_MS;
  for (let look = 0; ; look += 1) {
    // v1 may fall back to FREEZING when a task forks meanwhile; writing again is what the kernel's text asks for.
    writeFreezer(freezer, true);
    if (readFrozen(freezer)) return;
    if (clock.now() > until) break;
    await clock.sleep(look < 20 ? 1 : 10);
  }
  writeFreezer(freezer, false);
  throw new BerthError('ENGINE_FAILED', {
    detail: `The processes in ${freezer.folder} could not be frozen within ${FREEZE_TIMEOUT_MS} ms.`,
  });
}

/** Lets every process go on; about 0.1 ms, synchronously. */
export function thawCgroup(freezer: Controller): void {
  writeFreezer(freezer, false);
}

function writeFreezer(freezer: Controller, isFrozen: boolean): void {
  if (freezer.version === 1) {
    writeFileSync(`${freezer.folder}/freezer.state`, isFrozen ? 'FROZEN' : 'THAWED');
  } else {
    writeFileSync(`${freezer.folder}/cgroup.freeze`, isFrozen ? '1' : '0');
  }
}

function readFrozen(freezer: Controller): boolean {
  return isFrozenText(freezer, readFileSync(freezerFile(freezer), 'latin1'));
}

/** Whether all processes of the cgroup stand still; false when it is gone. */
export async function isFrozen(freezer: Controller): Promise<boolean> {
  const text = await readFile(freezerFile(freezer), 'latin1').catch(() => '');
  return isFrozenText(freezer, text);
}

function freezerFile(freezer: Controller): string {
  return `${freezer.folder}/${freezer.version === 1 ? 'freezer.state' : 'cgroup.events'}`;
}

function isFrozenText(freezer: Controller, text: string): boolean {
  return freezer.version === 1 ? text.startsWith('FROZEN') : /^frozen 1$/m.test(text);
}

/** Limits the cgroup to so many cores. */
export function writeCpuQuota(cpu: Controller, cpus: number): void {
  const quotaUs = Math.max(MIN_CPU_QUOTA_US, Math.round(cpus * CPU_PERIOD_US));
  if (cpu.version === 1) {
    writeFileSync(`${cpu.folder}/cpu.cfs_period_us`, String(CPU_PERIOD_US));
    writeFileSync(`${cpu.folder}/cpu.cfs_quota_us`, String(quotaUs));
  } else {
    writeFileSync(`${cpu.folder}/cpu.max`, `${quotaUs} ${CPU_PERIOD_US}`);
  }
}

/** Asks the kernel to take every page it can. Nothing to take, or nowhere to put it, is no failure. */
export async function reclaimCgroup(memory: Controller): Promise<void> {
  if (memory.version === 1) {
    await writeFile(`${memory.folder}/memory.force_empty`, '0');
    return;
  }
  const usage = (await readFile(`${memory.folder}/memory.current`, 'latin1')).trim();
  try {
    await writeFile(`${memory.folder}/memory.reclaim`, usage);
  } catch (error) {
    // EAGAIN: less could be taken than was asked for.
    if ((error as { code?: unknown }).code !== 'EAGAIN') throw error;
  }
}

const MOUNT = '/sys/fs/cgroup';

/**
 * Removes the empty cgroup of a container that is gone, in every hierarchy. Normally nothing is left: but when its monitor
 * was killed before it, or two removed it at once, nobody else does this.
 *
 * @returns false when processes are still ending in it: try again later.
 */
export async function removeCgroup(path: string): Promise<boolean> {
  const hierarchies = await readdir(MOUNT, { withFileTypes: true }).catch(() => []);
  const folders = hierarchies.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const removed = await Promise.all(
    ['.', ...folders].map((name) =>
      rmdir(join(MOUNT, name, path)).then(
        () => true,
        (error: unknown) => (error as { code?: unknown }).code !== 'EBUSY',
      ),
    ),
  );
  return removed.every(Boolean);
}

/** What a cgroup holds: pages in memory, and pages in swap. */
export interface HeldMemory {
  /** What is charged, less the page cache that the kernel would drop first. */
  readonly residentBytes: number;
  /** As large as the pages were before they were swapped out. */
  readonly swappedBytes: number;
}

/** Undefined when the cgroup is gone. */
export async function readMemory(memory: Controller): Promise<HeldMemory | undefined> {
  const [usageFile, cacheName] =
    memory.version === 1
      ? ['memory.usage_in_bytes', 'total_inactive_file']
      : ['memory.current', 'inactive_file'];
  try {
    const [usage, stat, swap] = await Promise.all([
      readFile(`${memory.folder}/${usageFile}`, 'latin1'),
      readFile(`${memory.folder}/memory.stat`, 'latin1'),
      // Where the kernel does not count swap, there is no such file.
      memory.version === 2
        ? readFile(`${memory.folder}/memory.swap.current`, 'latin1').catch(() => '0')
        : undefined,
    ]);
    const figure = (name: string) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? '0');
    return {
      residentBytes: Math.max(0, Number(usage) - figure(cacheName)),
      swappedBytes: swap === undefined ? figure('total_swap') : Number(swap),
    };
  } catch {
    return undefined;
  }
}

/** Ids of the processes of the cgroup; none when it is gone. */
export function readProcesses(controller: Controller): readonly number[] {
  try {
    const text = readFileSync(`${controller.folder}/cgroup.procs`, 'latin1');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  } catch {
    return [];
  }
}
