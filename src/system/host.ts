/** Reads the facts of this machine that `berth doctor` judges; reads only, and changes nothing. */
import { execFile } from 'node:child_process';
import { access, constants, readFile, readdir, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { arch, availableParallelism, freemem, release, totalmem } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { SecretsFacts } from '../core/doctor-secrets.ts';
import type { CgroupLayout, HostDisk, HostFacts, HostLimit, OciRuntime } from '../core/host.ts';

export interface HostQuestions {
  readonly dataFolder: string;
  /** Where Podman keeps images. */
  readonly storageFolder: string;
  /** `host:port`. */
  readonly listen: string;
  /** True when the caller knows that Berth itself answers there. */
  readonly isBerthListening: boolean;
}

/** Folders with programs that a user's PATH may lack. */
const SYSTEM_FOLDERS = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/lib/podman',
  '/usr/libexec/podman',
];
const CGROUP_ROOT = '/sys/fs/cgroup';
const CGROUP2_MAGIC = 0x63677270;

/** Takes some 100 ms: several programs are asked for their version. Never throws for what is missing. */
export async function readHost(questions: HostQuestions): Promise<HostFacts> {
  const [podman, runc, crun, conmon, netavark, iptables] = await Promise.all(
    ['podman', 'runc', 'crun', 'conmon', 'netavark', 'iptables'].map(programVersion),
  );
  const [nameServer, cgroup, system, disks, state, secrets] = await Promise.all([
    findProgram('aardvark-dns'),
    readCgroup(),
    readSystem(),
    readDisks(questions),
    portState(questions),
    readSecrets(questions.dataFolder),
  ]);
  const runtimes: OciRuntime[] = [];
  if (crun !== undefined) runtimes.push({ name: 'crun', version: crun });
  if (runc !== undefined) runtimes.push({ name: 'runc', version: runc });
  return {
    ...system,
    ...cgroup,
    kernel: release(),
    architecture: arch(),
    isRoot: process.getuid?.() === 0,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    ...(podman === undefined ? {} : { podmanVersion: podman }),
    runtimes,
    ...(conmon === undefined ? {} : { conmonVersion: conmon }),
    ...(netavark === undefined ? {} : { netavarkVersion: netavark }),
    hasNameServer: nameServer !== undefined,
    ...(iptables === undefined ? {} : { iptablesVersion: iptables }),
    disks,
    listen: { address: questions.listen, state },
    secrets,
  };
}

const execute = promisify(execFile);

/** The absolute path of a program, or undefined. */
async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]) {
    const path = join(folder, name);
    if (folder !== '' && (await canRun(path))) return path;
  }
  return undefined;
}

async function canRun(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The first number with a dot that `name --version` prints; `unknown` when it runs but prints none. */
async function programVersion(name: string): Promise<string | undefined> {
  const path = await findProgram(name);
  if (path === undefined) return undefined;
  try {
    const { stdout } = await execute(path, ['--version'], { timeout: 10_000 });
    return /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0] ?? 'unknown';
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function readCgroup(): Promise<Pick<HostFacts, 'cgroup' | 'controllers'>> {
  const root = await statfs(CGROUP_ROOT).catch(() => undefined);
  if (root?.type === CGROUP2_MAGIC) {
    const controllers = (await readText(join(CGROUP_ROOT, 'cgroup.controllers'))) ?? '';
    return { cgroup: 'v2', controllers: controllers.split(/\s+/).filter(Boolean) };
  }
  const unified = await statfs(join(CGROUP_ROOT, 'unified')).catch(() => undefined);
  const cgroup: CgroupLayout = unified?.type === CGROUP2_MAGIC ? 'hybrid' : 'v1';
  return { cgroup, controllers: await readdir(CGROUP_ROOT).catch(() => []) };
}

type SystemFacts = Pick<
  HostFacts,
  | 'distribution'
  | 'availableMemoryBytes'
  | 'swap'
  | 'openFiles'
  | 'processes'
  | 'pidMax'
  | 'isForwardingPackets'
>;

async function readSystem(): Promise<SystemFacts> {
  const [osRelease, memory, swaps, limits, pidMax, forward] = await Promise.all(
    [
      '/etc/os-release',
      '/proc/meminfo',
      '/proc/swaps',
      '/proc/self/limits',
      '/proc/sys/kernel/pid_max',
      '/proc/sys/net/ipv4/ip_forward',
    ].map(readText),
  );
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(memory ?? '')?.[1];
  const swapLines = (swaps ?? '').split('\n').slice(1).filter(Boolean);
  return {
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease ?? '')?.[1] ?? 'unknown distribution',
    availableMemoryBytes: available === undefined ? freemem() : Number(available) * 1024,
    swap: {
      bytes: swapLines.reduce((sum, line) => sum + Number(line.split(/\s+/)[2] ?? 0) * 1024, 0),
      isZram: swapLines.some((line) => line.startsWith('/dev/zram')),
    },
    openFiles: parseLimit(limits ?? '', 'Max open files'),
    processes: parseLimit(limits ?? '', 'Max processes'),
    pidMax: Number(pidMax ?? 32_768),
    isForwardingPackets: forward?.trim() === '1',
  };
}

/** One row of `/proc/PID/limits`. */
function parseLimit(text: string, name: string): HostLimit {
  const row = text.split('\n').find((line) => line.startsWith(name));
  const [soft, hard] = (row ?? '').slice(name.length).trim().split(/\s+/).map(limitNumber);
  return { soft: soft ?? Number.POSITIVE_INFINITY, hard: hard ?? Number.POSITIVE_INFINITY };
}

function limitNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

async function readDisks(questions: HostQuestions): Promise<readonly HostDisk[]> {
  const disks: HostDisk[] = [];
  for (const [what, path] of [
    ['data', questions.dataFolder],
    ['images', questions.storageFolder],
  ] as const) {
    const room = await statfsAbove(path);
    if (room) {
      disks.push({
        what,
        path,
        freeBytes: room.bavail * room.bsize,
        totalBytes: room.blocks * room.bsize,
      });
    }
  }
  return disks;
}

/** Of the folder, or of the nearest one above it that exists. */
async function statfsAbove(path: string): ReturnType<typeof statfsOrNothing> {
  const found = await statfsOrNothing(path);
  if (found || dirname(path) === path) return found;
  return statfsAbove(dirname(path));
}

async function statfsOrNothing(path: string) {
  return statfs(path).catch(() => undefined);
}

/** Listens for a moment; the only certain way to know. */
async function portState(questions: HostQuestions): Promise<HostFacts['listen']['state']> {
  if (questions.isBerthListening) return 'berth';
  const colon = questions.listen.lastIndexOf(':');
  const host = questions.listen.slice(0, colon).replace(/^\[|\]$/g, '');
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve('taken'));
    server.listen({ host, port: Number(questions.listen.slice(colon + 1)), exclusive: true }, () =>
      server.close(() => resolve('free')),
    );
  });
}

const IN_MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];

async function readSecrets(dataFolder: string): Promise<SecretsFacts> {
  const path = join(dataFolder, 'secrets.key');
  const [file, bash, ...places] = await Promise.all([
    stat(path).catch(() => undefined),
    findProgram('bash'),
    ...['/run', '/dev/shm'].map(statfsOrNothing),
  ]);
  return {
    ...(file && {
      keyFile: { path, mode: file.mode & 0o777, isOwn: file.uid === process.getuid?.() },
    }),
    hasBash: bash !== undefined,
    hasMemory: places.some((place) => place && IN_MEMORY.includes(place.type >>> 0)),
  };
}
