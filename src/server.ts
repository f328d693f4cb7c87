/** The wiring: the only place that makes engines, stores, the clock and the parts, and hands them to each other. */
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openAccess } from './access/open.ts';
import { openAliases } from './aliases/open.ts';
import { createApi } from './api/api.ts';
import { refuseHalfRestored } from './backup/mark.ts';
import { openBackups } from './backup/open.ts';
import type { ServerFacts } from './api/needs.ts';
import { loginPath } from './api/tokens.ts';
import type { Rate } from './core/token-bucket.ts';
import { checkDockerfile } from './config/dockerfile.ts';
import { BerthError } from './core/errors.ts';
import { chooseRuntime } from './core/host.ts';
import { DEFAULT_TEAM } from './core/access.ts';
import { Quotas } from './core/quota.ts';
import { DEFAULT_RULES, type CleanupRules } from './core/gc.ts';
import { RouteTable } from './core/route.ts';
import { openCleanup } from './cleanup/open.ts';
import { openBlobs } from './deploys/blobs.ts';
import { createDeployer } from './deploys/deployer.ts';
import { createDirectory } from './deploys/directory.ts';
import { openFolders } from './deploys/folders.ts';
import { runMemoryApp } from './engines/memory/app.ts';
import { createMemoryBuilder } from './engines/memory/builder.ts';
import { createMemoryEngine } from './engines/memory/engine.ts';
import type { PodmanOptions } from './engines/podman/command.ts';
import { createPodmanBuilder } from './engines/podman/builder.ts';
import { openPodmanEngine } from './engines/podman/engine.ts';
import { openLogs } from './logs/open.ts';
import { redacted } from './logs/redacted.ts';
import { openKeeper } from './secrets/keeper.ts';
import { createMetrics } from './metrics/open.ts';
import type { Builder } from './ports/builder.ts';
import type { Engine } from './ports/engine.ts';
import type { Reporter } from './ports/reporter.ts';
import type { Store } from './ports/store.ts';
import { accessFacts, accessLine } from './router/access-line.ts';
import type { AccessRecord } from './router/access-log.ts';
import { createBusyDoor } from './router/busy-door.ts';
import { createRouter } from './router/router.ts';
import { createReleases } from './releases/releases.ts';
import { createEnvironmentRoutes } from './releases/routes.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { openSqliteStore } from './stores/sqlite/open.ts';
import { systemClock as clock } from './system/clock.ts';
import { claimDataFolder } from './system/data-folder.ts';
import { diskSpaces } from './system/disk.ts';
import { readHost } from './system/host.ts';
import { monitorLag } from './system/event-loop-lag.ts';
import { bind, parseListen, portOf, portSuffix } from './system/listen.ts';
import { openLineWriter } from './system/line-writer.ts';
import { httpProbe } from './system/probe.ts';
import { systemHostMemory } from './system/host-memory.ts';
import { drawBytes, systemRandom as random } from './system/random.ts';
import { type AcmeSettings, openTls } from './tls/open.ts';

export interface ServerOptions {
  /** Data folder; made when it is not there. */
  readonly data: string;
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** What deployments' hostnames end in. */
  readonly domain: string;
  readonly engine: 'podman' | 'memory';
  /** Memory that sleeping instances may hold; absent means a quarter of the host's. */
  readonly memoryBudgetMiB?: number;
  readonly buildTimeoutMs?: number;
  /** What images, build cache, logs and blobs may take; absent means a share of the disk. */
  readonly diskBudgetBytes?: number;
  /** What clean-up keeps, and for how long. */
  readonly cleanup?: Partial<CleanupRules>;
  /** Where Podman keeps images; absent means Podman's own default. */
  readonly storage?: string;
  /** Absent: plain HTTP only. */
  readonly tls?: TlsListening;
  /** Absent: JSON lines on stdout. */
  readonly reporter?: Reporter;
  /** False: no line for each request. */
  readonly hasAccessLog?: boolean;
  /** Addresses and CIDR ranges of proxies whose word on who asked is believed; absent: nobody's. */
  readonly trustedProxies?: readonly string[];
  /** `GET /metrics` answers without a token. */
  readonly hasOpenMetrics?: boolean;
  /** Deploys of one team, and of one token. */
  readonly deployRate?: Rate;
}

export interface TlsListening {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Sends plain requests for deployments to https. */
  readonly redirects?: boolean;
  /** For `strict-transport-security`, in seconds; absent: not sent. */
  readonly hstsSeconds?: number;
  /** Absent: no automatic certificates. */
  readonly acme?: AcmeSettings;
}

export interface RunningServer {
  /** `host:port` as it is bound. */
  readonly address: string;
  /** The same of TLS; undefined without it. */
  readonly tlsAddress: string | undefined;
  /**
   * Requests in flight may end. Instances stay as they are, for the next server to take over; `removeInstances` drains
   * and removes them, and the next server starts from the images.
   */
  close(options?: { readonly removeInstances?: boolean }): Promise<void>;
}

const MIB = 1024 * 1024;
const BUILD_TIMEOUT_MS = 15 * 60_000;
/** An upload may take its time between its first blob and its deploy. */
const UPLOAD_IDLE_MS = 60 * 60_000;
/** A build leaves a core and half of the memory to what is served meanwhile. */
const BUILD_LIMITS = {
  cpus: Math.max(1, availableParallelism() - 1),
  memoryMiB: Math.floor(totalmem() / MIB / 2),
};
/** Slow starters (a JVM, a large framework) need most of a minute on a small machine. */
const BOOT_TIMEOUT_MS = 60_000;
/** Of the host's memory, so much is to stay available: sleepers give way before anybody else has to. */
const RESERVED_SHARE = 0.08;
const STOP_GRACE_MS = 10_000;
/** A hundred at once, and then one every six seconds: more than people do, less than a runaway script. */
const DEPLOY_RATE = { burst: 100, everyMs: 6_000 };
/** Requests of one deployment that may wait for an instance: a burst fits, a flood does not. */
const ROOM = { maxWaiting: 2_000, maxWaitMs: 60_000 };

/**
 * Throws SERVER_RUNNING, DATA_FOLDER, ADDRESS_IN_USE, or what the engine says; then nothing is left running.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  // What was opened is closed in reverse, at the end or as soon as something fails.
  await using opened = new AsyncDisposableStack();
  const startedAt = clock.now();
  const { data, domain, tls: tlsOptions } = options;
  const version = await ownVersion();
  const wanted = parseListen(options.listen);
  const wantedTls = tlsOptions && parseListen(tlsOptions.listen);

  const folder = await claimDataFolder(data, random);
  opened.defer(() => folder.release());
  const metrics = createMetrics({
    version,
    isKnown: (id) => directory.has(id),
    instances: () => scheduler.instances(),
    waiting: () => scheduler.waiting(),
    eventLoopLag: () => lag.read(),
  });
  const log = options.reporter ? reportedTo(options.reporter) : logTo(opened);
  const reporter = metrics.watch(log.reporter);
  await refuseHalfRestored(data);
  const store = await openSqliteStore(join(data, 'berth.db'), (copy) =>
    reporter.report('info', 'store.copied', { ...copy }),
  );
  opened.defer(() => store.close());
  const quotas = new Quotas(DEFAULT_TEAM);
  const access = await openAccess({
    store,
    clock,
    random,
    quotas,
    localToken: folder.token,
    // It works no more, so nobody is to find it.
    onLogin: () => void folder.removeLoginLink().catch(() => undefined),
    deployRate: options.deployRate ?? DEPLOY_RATE,
  });
  const keyFile = join(data, 'secrets.key');
  const secrets = await openKeeper({ store, keyFile, draw: drawBytes, clock, reporter });
  const logs = redacted(openLogs({ folder: join(data, 'logs'), clock }), async (id) => {
    const deployment = await store.deployment(id);
    return deployment ? secrets.reveal(deployment.project, deployment.secrets ?? {}) : {};
  });
  const blobsFolder = join(data, 'blobs');
  const blobs = await openBlobs(blobsFolder, random);
  const folders = openFolders(blobsFolder, clock);
  opened.defer(() => folders.close());
  const buildsFolder = join(data, 'builds');
  await mkdir(buildsFolder, { recursive: true, mode: 0o700 });

  const busyDoor = createBusyDoor({
    fleet: {
      instanceAt: (host) => scheduler.instanceAt(host),
      sayBusy: (id, said) => scheduler.sayBusy(id, said),
    },
    hostAddress: async (project) => engine.hostAddress?.(project),
    reporter,
  });
  opened.defer(() => busyDoor.close());
  const { engine, builder } = await openDriver(options, store, (project) => busyDoor.left(project));
  opened.defer(() => engine.close());
  const description = await engine.describe();
  // Buildah 1.33, which came with Podman 4.8, is the first to know them.
  const hasHeredocs = options.engine === 'memory' || isAtLeast(description.version, 4, 8);

  const closing = new AbortController();
  const routes = new RouteTable({ domain });
  const scheduler = new Scheduler({
    engine,
    secrets,
    store,
    logs,
    clock,
    random,
    reporter,
    probe: httpProbe,
    memoryBudgetBytes: (options.memoryBudgetMiB ?? totalmem() / MIB / 4) * MIB,
    hostMemory: systemHostMemory,
    reserveBytes: totalmem() * RESERVED_SHARE,
    bootCap: availableParallelism(),
    bootTimeoutMs: BOOT_TIMEOUT_MS,
    stopGraceMs: STOP_GRACE_MS,
    bounds: ROOM,
    quotas,
    onUnroute: (id) => router.forget(id),
    inside: busyDoor,
  });
  const aliases = openAliases({
    store,
    routes,
    clock,
    domain,
    teamOf: (project) => access.teamOf(project),
  });
  const directory = createDirectory(routes, scheduler);
  const deployer = createDeployer({
    store,
    engine,
    builder,
    fleet: scheduler,
    logs,
    clock,
    secrets,
    blobs,
    folders,
    directory,
    room: (question) => cleanup.room(question),
    clear: () => cleanup.clear(),
    buildsFolder,
    buildTimeoutMs: options.buildTimeoutMs ?? BUILD_TIMEOUT_MS,
    // One build uses all the cores it can get; two would only make both late.
    buildsAtOnce: 1,
    checkDockerfile: (text, fileName) => checkDockerfile(text, { fileName, hasHeredocs }),
    reporter,
  });

  const releases = createReleases({
    store,
    derivations: deployer,
    fleet: scheduler,
    secrets,
    routes: createEnvironmentRoutes(routes),
    closing: closing.signal,
    clock,
    reporter,
  });

  const cleanup = await openCleanup({
    store,
    engine,
    fleet: scheduler,
    logs,
    clock,
    reporter,
    deploys: deployer,
    removeEnvironment: (project, name) => releases.remove(project, name),
    onExpired: ({ id, project }, because) =>
      store.appendAudit({
        at: clock.now(),
        actor: 'clean-up',
        action: 'deployment.expired',
        subject: id,
        team: access.teamOf(project),
        project,
        detail: because,
      }),
    aliases: () => aliases.list(),
    sweepBlobs: (manifests, isDryRun) => folders.sweep(manifests, UPLOAD_IDLE_MS, isDryRun),
    rules: { ...DEFAULT_RULES, ...options.cleanup },
    fileSystems: () => diskSpaces([options.storage ?? podmanStorage(), data]),
    budgetBytes: options.diskBudgetBytes,
    folders: { logs: join(data, 'logs'), builds: buildsFolder, blobs: blobsFolder },
    reserveFile: join(data, 'reserve'),
    databaseFiles: ['', '-wal', '-shm'].map((suffix) => join(data, `berth.db${suffix}`)),
  });

  const tls = await openTls({
    folder: join(data, 'certificates'),
    domain,
    isServed: (hostname) => routes.knows(hostname),
    ...(tlsOptions?.acme ? { acme: tlsOptions.acme } : {}),
    clock,
    random,
    reporter,
  });
  opened.defer(() => tls.close());
  const door = tlsOptions && (await tls.door());

  const backups = await openBackups({
    store,
    engine,
    clock,
    random,
    draw: drawBytes,
    reporter,
    version,
    keyFile,
    blobs: blobsFolder,
    certificates: join(data, 'certificates'),
    folder: join(data, 'backups'),
    closing: closing.signal,
  });

  const lag = monitorLag(clock);
  opened.defer(() => lag.close());
  let listen = options.listen;
  let listenTls: string | undefined;
  const facts = (): ServerFacts => ({
    version,
    pid: process.pid,
    listen,
    listenTls,
    domain,
    dataFolder: data,
    startedAt,
    engine: description,
    cores: availableParallelism(),
    memoryMiB: Math.floor(totalmem() / MIB),
  });
  const platformUrl = () => {
    if (domain === 'localhost') return `http://127.0.0.1${portSuffix(listen)}`;
    if (listenTls !== undefined) return `https://berth.${domain}${portSuffix(listenTls, 443)}`;
    return `http://berth.${domain}${portSuffix(listen)}`;
  };
  const urlOfHost = (host: string) =>
    listenTls !== undefined && tlsOptions?.redirects
      ? `https://${host}${portSuffix(listenTls, 443)}`
      : `http://${host}${portSuffix(listen)}`;
  const api = await createApi({
    ...(options.trustedProxies ? { trustedProxies: options.trustedProxies } : {}),
    access,
    aliases,
    backups,
    quotas,
    facts,
    eventLoopLag: () => lag.read(),
    metrics,
    areMetricsOpen: options.hasOpenMetrics ?? false,
    store,
    blobs,
    folders,
    deployer,
    releases,
    fleet: scheduler,
    logs,
    clock,
    audit: (entry) => store.appendAudit(entry),
    secrets,
    certificates: tls.certificates,
    cleanup,
    urlOf: (id) => urlOfHost(routes.hostOf(id)),
    deploymentAt(hostname) {
      const route = routes.resolve(hostname, '/');
      return route.kind === 'deployment' ? route.deploymentId : undefined;
    },
    urlOfHost,
    urlOfEnvironment: (project, name) => urlOfHost(routes.hostOfEnvironment(project, name)),
    closing: closing.signal,
    nextRequestId: () => random.id(12),
    reporter,
  });
  opened.defer(() => api.close());
  const router = createRouter({
    fleet: directory.fleet,
    routes,
    platform: (request, response) => api.routing(request, response),
    clock,
    random,
    version,
    durationMs: (id) => directory.durationMs(id),
    protocol: (id) => directory.protocol(id),
    wakeRules: (id) => directory.wakeRules(id),
    ...(door && {
      secure: {
        tls: door.options,
        guard: (server) => door.guard(server),
        hstsSeconds: tlsOptions?.hstsSeconds,
        redirectPort: tlsOptions?.redirects ? () => portOf(listenTls ?? '') : undefined,
      },
    }),
    ...(options.trustedProxies && { trustedProxies: options.trustedProxies }),
    challengeAnswer: (hostname, path) => tls.challengeAnswer(hostname, path),
    onAccess: (record) => {
      metrics.count(record);
      const { environment, deploymentId, status, appMs, aborted } = record;
      if (environment !== undefined && deploymentId !== undefined && !(aborted && status === 0)) {
        releases.note(environment, deploymentId, { isError: status >= 500, appMs });
      }
      if (record.deploymentId !== undefined) cleanup.noteRequest(record.deploymentId);
      if (options.hasAccessLog ?? true) log.served(record);
    },
  });

  // Known before the first request: every deployment, then what the engine still runs, then what was not finished.
  const deployments = await store.deployments();
  for (const deployment of deployments) directory.note(deployment);
  await aliases.load();
  opened.defer(() => scheduler.stop());
  await scheduler.start(deployments.filter(({ state }) => state === 'ready'));
  let removesInstances = false;
  opened.defer(async () => {
    if (!removesInstances) return;
    const ids = new Set(scheduler.instances().map(({ deploymentId }) => deploymentId));
    await Promise.all([...ids].map((id) => scheduler.remove(id)));
    const projects = new Set((await store.deployments()).map(({ project }) => project));
    for (const project of projects) await engine.removeNetwork(project);
  });
  opened.defer(() => deployer.close());
  await releases.recover();
  await deployer.resume();
  opened.defer(() => releases.close());
  await releases.open();
  opened.defer(() => cleanup.close());
  cleanup.start();

  listen = await bind(router.server, wanted);
  opened.defer(() => router.close());
  if (router.secureServer && wantedTls) listenTls = await bind(router.secureServer, wantedTls);
  opened.defer(() => closing.abort());
  tls.renew();
  const loginCode = await access.inviteFirstOwner();
  if (loginCode !== undefined) {
    const link = `${platformUrl()}${loginPath(loginCode)}`;
    await folder.writeLoginLink(link);
    reporter.report('info', 'owner.invited', { link, advice: 'It works once, for 24 hours.' });
  }
  await folder.writeNote({ pid: process.pid, listen, version });
  reporter.report('info', 'server.started', {
    listen,
    listenTls,
    data,
    engine: description,
    deployments: deployments.length,
  });

  const running = opened.move();
  let closed: Promise<void> | undefined;
  return {
    address: listen,
    tlsAddress: listenTls,
    close({ removeInstances = false } = {}) {
      if (!closed) reporter.report('info', 'server.stopping', { removeInstances });
      removesInstances ||= removeInstances;
      closed ??= running.disposeAsync();
      return closed;
    },
  };
}

interface Driver {
  readonly engine: Engine;
  readonly builder: Builder;
}

/** The engine that the ledger of this store belongs to. Throws HOST_UNSUPPORTED or ENGINE_UNAVAILABLE. */
export async function openDriver(
  options: Pick<ServerOptions, 'data' | 'engine' | 'storage' | 'listen'>,
  store: Store,
  onNetworkGone: (project: string) => Promise<void>,
): Promise<Driver> {
  if (options.engine === 'memory') {
    const engine = createMemoryEngine({ clock, run: runMemoryApp });
    return { engine, builder: createMemoryBuilder() };
  }
  const host = await readHost({
    dataFolder: options.data,
    storageFolder: options.storage ?? podmanStorage(),
    listen: options.listen,
    isBerthListening: false,
  });
  const choice = chooseRuntime(host);
  if (choice.kind === 'none') throw new BerthError('HOST_UNSUPPORTED', { detail: choice.because });
  const podman: PodmanOptions = {
    dataFolder: options.data,
    // The label by which this data folder knows what it made.
    ledgerId: await store.settingOr('ledger', random.id(12)),
    runtime: choice.runtime.name,
    ...(options.storage === undefined ? {} : { storageRoot: options.storage }),
  };
  const engine = await openPodmanEngine({
    ...podman,
    clock,
    host: {
      cgroupVersion: host.cgroup === 'v2' ? 2 : 1,
      maxOpenFiles: host.openFiles.hard,
      maxProcesses: host.processes.hard,
    },
    ledger: {
      record: (kind, id, project) => store.record({ kind, id, project, createdAt: clock.now() }),
      forget: async (kind, id, project) => {
        await onNetworkGone(project);
        await store.forget(kind, id);
      },
    },
  });
  const builder = createPodmanBuilder({
    ...podman,
    clock,
    limits: BUILD_LIMITS,
    image: (reference) => engine.image(reference),
    layers: {
      ownImages: () => engine.ownImages(),
      record(deploymentId, id) {
        const now = clock.now();
        return store.record({ kind: 'layer', id, deploymentId, createdAt: now, usedAt: now });
      },
    },
  });
  return { engine, builder };
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function podmanStorage(): string {
  const isRoot = process.getuid?.() === 0;
  return isRoot
    ? '/var/lib/containers/storage'
    : join(homedir(), '.local/share/containers/storage');
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ours = 0, theirs = 0] = version.split('.').map(Number);
  return ours > major || (ours === major && theirs >= minor);
}

interface Log {
  readonly reporter: Reporter;
  /** A line of the access log. */
  served(record: AccessRecord): void;
}

/** JSON lines on stdout, written in batches so that no request waits for the disk. */
function logTo(opened: AsyncDisposableStack): Log {
  const destination = openLineWriter(1, clock, (batches) => {
    const time = new Date(clock.now()).toISOString();
    return `${JSON.stringify({ level: 40, time, event: 'log.lost', batches })}\n`;
  });
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  opened.defer(() => destination.close());
  return {
    reporter: { report: (level, event, facts) => log[level]({ event, ...facts }) },
    served: (record) => destination.write(accessLine(record, clock.now())),
  };
}

function reportedTo(reporter: Reporter): Log {
  return {
    reporter,
    served: (record) => reporter.report('info', 'request.served', accessFacts(record)),
  };
}
