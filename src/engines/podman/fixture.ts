/** For the driver's tests: a ledger of their own on the real Podman, tiny apps, and removal of all that was made. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine, InstanceSpec } from '../../ports/engine.ts';
import { systemClock } from '../../system/clock.ts';
import { systemRandom } from '../../system/random.ts';
import type { App, EngineGround } from '../engine.contract.ts';
import { preparePodman } from './command.ts';
import { openPodmanEngine, type PodmanEngineOptions } from './engine.ts';
import { containerName } from './names.ts';

const execute = promisify(execFile);

/** Made by `script/base-images` where no registry can be reached. */
const NODE_IMAGE = 'docker.io/library/node:24-slim';

const SERVER = "require('http').createServer((request, response) => response.end('hello\\n'))";
const APPS: Readonly<Record<App, string>> = {
  hello: `${SERVER}.listen(process.env.PORT); process.on('SIGTERM', () => process.exit(0))`,
  loopback: `${SERVER}.listen(process.env.PORT, '127.0.0.1')`,
  silent: 'setInterval(() => {}, 1e9)',
  failing: "console.log('out'); console.error('err'); process.exit(3)",
  stubborn: `${SERVER}.listen(process.env.PORT); process.on('SIGTERM', () => {})`,
  leaking: 'const held = []; for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1))',
};

export interface PodmanGround extends EngineGround {
  readonly ledgerId: string;
  readonly options: PodmanEngineOptions;
  readonly dataFolder: string;
  spec(app: App, change?: Partial<InstanceSpec>): InstanceSpec;
  /** Runs any Node program as an instance. */
  script(source: string, change?: Partial<InstanceSpec>): InstanceSpec;
}

/** What the command line prints, for things that the engine is not to know of. */
export async function podman(...args: string[]): Promise<string> {
  return (await execute('podman', args)).stdout.trim();
}

export async function openPodmanGround(
  change: Partial<PodmanEngineOptions> = {},
): Promise<PodmanGround> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'berth-podman-'));
  const ledgerId = systemRandom.id(20);
  const options: PodmanEngineOptions = {
    dataFolder,
    ledgerId,
    runtime: await readRuntime(),
    host: {
      cgroupVersion: 1,
      maxOpenFiles: Number.POSITIVE_INFINITY,
      maxProcesses: Number.POSITIVE_INFINITY,
    },
    clock: systemClock,
    ...change,
  };
  const engine = await openPodmanEngine(options);
  const imageId = (await engine.image(NODE_IMAGE)).id;
  const projects = new Set<string>();

  const script = (source: string, specChange: Partial<InstanceSpec> = {}): InstanceSpec => {
    const id = `app-${systemRandom.id(8)}.${systemRandom.id(6)}`;
    const spec: InstanceSpec = {
      id,
      deploymentId: id.split('.')[0] ?? id,
      project: 'app',
      imageId,
      slot: { cpus: 0.5, memoryMiB: 128 },
      env: { PORT: '8080' },
      command: ['node', '-e', source],
      logFile: join(dataFolder, `${id}.log`),
      ...specChange,
    };
    projects.add(spec.project);
    return spec;
  };
  return {
    engine,
    clock: systemClock,
    ledgerId,
    options,
    dataFolder,
    script,
    spec: (app, specChange) => script(APPS[app], specChange),
    vanish: async (id) => {
      const command = preparePodman(options);
      const remove = ['rm', '--force', '--time=0', containerName(id)];
      await execute(command.program, [...command.plainArguments, ...remove]);
    },
    reopen: () => openPodmanEngine(options),
    unknownImage: `sha256:${'0'.repeat(64)}`,
    async close() {
      try {
        await removeAll(engine, projects);
      } finally {
        await engine.close();
        await rm(dataFolder, { recursive: true, force: true });
      }
    },
  };
}

async function removeAll(engine: Engine, projects: Iterable<string>): Promise<void> {
  for (const instance of await engine.list()) await engine.remove(instance.id);
  for (const project of projects) await engine.removeNetwork(project);
}

/** As `chooseRuntime` would; asked of Podman here, so that the driver's tests need no other part. */
async function readRuntime(): Promise<'runc' | 'crun'> {
  const version = await podman('info', '--format', '{{.Host.CgroupsVersion}}');
  return version === 'v2' ? 'crun' : 'runc';
}
