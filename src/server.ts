/** The wiring: the only place that makes engines, stores, the clock and the parts, and hands them to each other. */
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { openAccess } from './access/open.ts';
import { openAliases } from './aliases/open.ts';
import { createApi } from './api/api.ts';
import { refuseHalfRestored } from './backup/mark.ts';
import { openBackups } from './backup/open.ts';
import type { ServerFacts } from './api/needs.ts';
import { loginPath } from './api/tokens.ts';
import { checkDockerfile } from './config/dockerfile.ts';
import { DEFAULT_TEAM } from './core/access.ts';
import { PRODUCTION } from './core/environment.ts';
import { Quotas } from './core/quota.ts';
import { DEFAULT_RULES } from './core/gc.ts';
import { RouteTable } from './core/route.ts';
import { DEFAULT_TRAFFIC_BOUNDS } from './core/traffic-bounds.ts';
import { openCleanup } from './cleanup/open.ts';
import { openBlobs } from './deploys/blobs.ts';
import { createDeployer } from './deploys/deployer.ts';
import { createDirectory } from './deploys/directory.ts';
import { openFolders } from './deploys/folders.ts';
import { openLogs } from './logs/open.ts';
import { redacted } from './logs/redacted.ts';
import { openKeeper } from './secrets/keeper.ts';
import { createMetrics } from './metrics/open.ts';
import { createBusyDoor } from './router/busy-door.ts';
import { createRouter } from './router/router.ts';
import { createReleases } from './releases/releases.ts';
import { createEnvironmentRoutes } from './releases/routes.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { openSqliteStore } from './stores/sqlite/open.ts';
import { systemClock as clock } from './system/clock.ts';
import { claimDataFolder } from './system/data-folder.ts';
import { diskSpaces } from './system/disk.ts';
import { monitorLag } from './system/event-loop-lag.ts';
import { bind, parseListen, portOf } from './system/listen.ts';
import { httpProbe } from './system/probe.ts';
import { systemHostMemory } from './system/host-memory.ts';
import { drawBytes, systemRandom as random } from './system/random.ts';
import { openTls } from './tls/open.ts';
import { Addresses } from './wiring/addresses.ts';
import { openDriver, podmanStorage } from './wiring/driver.ts';
import { logTo, reportedTo } from './wiring/log.ts';
import type { RunningServer, ServerOptions } from './wiring/options.ts';
import { removeInstances } from './wiring/remove-instances.ts';
import { takeUp } from './wiring/take-up.ts';

export type { RunningServer, ServerOptions } from './wiring/options.ts';

const MIB = 1024 * 1024;
const BUILD_TIMEOUT_MS = 15 * 60_000;
/** An upload may take its time between its first blob and its deploy. */
const UPLOAD_IDLE_MS = 60 * 60_000;
/** Slow starters (a JVM, a large framework) need most of a minute on a small machine. */
const BOOT_TIMEOUT_MS = 60_000;
/** Of the host's memory, so much is to stay available: sleepers give way before anybody else has to. */
const RESERVED_SHARE = 0.08;
const STOP_GRACE_MS = 10_000;
/** A hundred at once, and then one every six seconds: more than people do, less than a runaway script. */
const DEPLOY_RATE = { burst: 100, everyMs: 6_000 };

/**
 * Throws SERVER_RUNNING, DATA_FOLDER, ADDRESS_IN_USE, or what the engine says; then nothing is left running.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  // What was opened is closed in reverse, at the end or as soon as something fails.
  await using opened = new AsyncDisposableStack();
  const startedAt = clock.now();
  const { data, domain, tls: tlsOptions } = options;
  const bounds = { ...DEFAULT_TRAFFIC_BOUNDS, ...options.trafficBounds };
  const { maxWaiting, maxWaitMs, ...limits } = bounds;
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
    checkName: (project, team) => environmentRoutes.check(project, PRODUCTION, team),
    // It works no more, so nobody is to find it.
    onLogin: () => void folder.removeLoginLink().catch(() => undefined),
    deployRate: options.deployRate ?? DEPLOY_RATE,
  });
  const keyFile = join(data, 'secrets.key');
  const secrets = await openKeeper({
    store,
    keyFile,
    draw: drawBytes,
    clock,
    reporter,
    teamOf: (project) => access.teamOf(project),
  });
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
    bounds: { maxWaiting, maxWaitMs },
    quotas,
    onUnroute: (id) => router.forget(id),
    inside: busyDoor,
  });
  const environmentRoutes = createEnvironmentRoutes({
    table: routes,
    store,
    teamOf: (project) => access.teamOf(project),
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
    routes: environmentRoutes,
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
  const addresses = new Addresses(domain, options.listen, tlsOptions?.redirects ?? false);
  const facts = (): ServerFacts => ({
    version,
    pid: process.pid,
    listen: addresses.plain,
    listenTls: addresses.tls,
    domain,
    dataFolder: data,
    startedAt,
    engine: description,
    cores: availableParallelism(),
    memoryMiB: Math.floor(totalmem() / MIB),
  });
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
    urlOf: (id) => addresses.urlOf(routes.hostOf(id)),
    deploymentAt(hostname) {
      const route = routes.resolve(hostname, '/');
      return route.kind === 'deployment' ? route.deploymentId : undefined;
    },
    urlOfHost: (host) => addresses.urlOf(host),
    urlOfEnvironment: (project, name) => addresses.urlOf(routes.hostOfEnvironment(project, name)),
    closing: closing.signal,
    nextRequestId: () => random.id(12),
    reporter,
  });
  opened.defer(() => api.close());
  const router = createRouter({
    fleet: directory.fleet,
    limits,
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
        redirectPort: tlsOptions?.redirects ? () => portOf(addresses.tls ?? '') : undefined,
      },
    }),
    ...(options.trustedProxies && { trustedProxies: options.trustedProxies }),
    onHttp2Abuse: (why, client) => reporter.report('warn', 'client.ended', { why, client }),
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

  opened.defer(() => scheduler.stop());
  let removesInstances = false;
  opened.defer(async () => {
    if (!removesInstances) return;
    await removeInstances({
      ...{ store, engine, scheduler },
      tellLeft: (count) => folder.writeLeft(count),
    });
  });
  opened.defer(() => deployer.close());
  opened.defer(() => releases.close());
  const known = await takeUp({ store, directory, aliases, scheduler, releases, deployer });
  opened.defer(() => cleanup.close());
  cleanup.start();

  addresses.plain = await bind(router.server, wanted);
  opened.defer(() => router.close());
  if (router.secureServer && wantedTls) addresses.tls = await bind(router.secureServer, wantedTls);
  opened.defer(() => closing.abort());
  tls.renew();
  const loginCode = await access.inviteFirstOwner();
  if (loginCode !== undefined) {
    const link = `${addresses.platformUrl()}${loginPath(loginCode)}`;
    await folder.writeLoginLink(link);
    reporter.report('info', 'owner.invited', { link, advice: 'It works once, for 24 hours.' });
  }
  const { plain: listen, tls: listenTls } = addresses;
  await folder.writeNote({ pid: process.pid, listen, version });
  reporter.report('info', 'server.started', {
    listen,
    listenTls,
    data,
    engine: description,
    deployments: known,
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

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ours = 0, theirs = 0] = version.split('.').map(Number);
  return ours > major || (ours === major && theirs >= minor);
}
