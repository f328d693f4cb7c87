/** Proves the life of a deploy with a real folder of blobs, the real scheduler and the memory engine; the builder is played by the test. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { checkDockerfile as checkText } from '../config/dockerfile.ts';
import { BerthError } from '../core/errors.ts';
import { DEFAULT_LIMITS, DEFAULT_SCALE, DEFAULT_SLOT } from '../core/limits.ts';
import { canonicalManifest } from '../core/manifest.ts';
import type { Configuration, Deployment, Image, Manifest } from '../core/model.ts';
import { RouteTable } from '../core/route.ts';
import { CALM, createMemoryEngine } from '../engines/memory/engine.ts';
import type { MemoryKnobs } from '../engines/memory/engine.ts';
import { openLogs } from '../logs/open.ts';
import type { Builder, BuildJob, BuildOutcome } from '../ports/builder.ts';
import type { Store } from '../ports/store.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { systemClock } from '../system/clock.ts';
import { systemRandom } from '../system/random.ts';
import { blobPath, openBlobs } from './blobs.ts';
import { openCleanup } from '../cleanup/open.ts';
import { DEFAULT_RULES } from '../core/gc.ts';
import { createDeployer } from './deployer.ts';
import { createDirectory } from './directory.ts';
import { openFolders } from './folders.ts';
import type { DeployRequest } from './deployer.ts';
import type { ProgressEvent } from './progress.ts';

const GIB = 1024 ** 3;
const configuration: Configuration = {
  slot: DEFAULT_SLOT,
  limits: DEFAULT_LIMITS,
  scale: DEFAULT_SCALE,
  idle: 'freeze',
  env: {},
  buildEnv: { ARG: 'value' },
};

/** A builder whose builds go on until the test ends them, over every restart of the deployer. */
class PlayedBuilder implements Builder {
  readonly began: BuildJob[] = [];
  readonly discarded: string[] = [];
  readonly lines: string[] = ['STEP 1'];
  readonly #ends = new Map<string, PromiseWithResolvers<BuildOutcome>>();

  begin(job: BuildJob): Promise<void> {
    if (!this.#ends.has(job.id)) {
      this.began.push(job);
      this.#ends.set(job.id, Promise.withResolvers());
    }
    return Promise.resolve();
  }

  async follow(id: string, onLine: (line: string) => void, signal: AbortSignal) {
    const end = this.#ends.get(id);
    if (!end) return { kind: 'lost' } as const;
    for (const line of this.lines) onLine(line);
    const aborted = new Promise<BuildOutcome>((resolve) => {
      signal.addEventListener('abort', () => resolve({ kind: 'lost' }), { once: true });
      if (signal.aborted) resolve({ kind: 'lost' });
    });
    return Promise.race([end.promise, aborted]);
  }

  discard(id: string): Promise<void> {
    this.discarded.push(id);
    this.#ends.get(id)?.resolve({ kind: 'lost' });
    this.#ends.delete(id);
    return Promise.resolve();
  }

  end(id: string, outcome: BuildOutcome): void {
    this.#ends.get(id)?.resolve(outcome);
  }

  /** As when the machine was switched off. */
  forgetAll(): void {
    this.#ends.clear();
  }
}

const checkDockerfile = (text: string, fileName: string) => checkText(text, { fileName });

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function openWorld(options: { knobs?: MemoryKnobs; bootTimeoutMs?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'berth-deploys-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const images = new Map<string, Image>();
  const removedImages: string[] = [];
  const memory = createMemoryEngine({
    clock: systemClock,
    images,
    ...(options.knobs ? { knobs: options.knobs } : {}),
  });
  const engine = {
    ...memory,
    removeImage: (id: string) => {
      removedImages.push(id);
      images.delete(id);
      return Promise.resolve(true);
    },
  };
  const store: Store = new MemoryStore();
  const builder = new PlayedBuilder();
  const blobsFolder = join(folder, 'blobs');
  const blobs = await openBlobs(blobsFolder, systemRandom);
  const folders = openFolders(blobsFolder, systemClock);
  cleanups.push(() => folders.close());
  const logs = openLogs({ folder: join(folder, 'logs'), clock: systemClock });
  const keep = async (text: string) => {
    const sha256 = createHash('sha256').update(text).digest('hex');
    await blobs.write(sha256, Readable.from([Buffer.from(text)]), 1_000_000);
    return sha256;
  };
  const reports: string[] = [];
  const reporter = { report: (_level: string, event: string) => void reports.push(event) };
  const space = { freeBytes: 100 * GIB, totalBytes: 200 * GIB };

  /** The part of Berth that ends with its process. */
  async function boot() {
    const fleet = new Scheduler({
      secrets: { reveal: () => Promise.resolve({}) },
      engine,
      store,
      logs,
      clock: systemClock,
      random: systemRandom,
      probe: { status: () => Promise.resolve(200) },
      reporter,
      memoryBudgetBytes: GIB,
      bootCap: 2,
      bootTimeoutMs: options.bootTimeoutMs ?? 500,
      stopGraceMs: 10,
      bounds: { maxWaiting: 10, maxWaitMs: 1_000 },
      onUnroute: () => {},
      reserveBytes: 0,
      hostMemory: { observe: () => Promise.resolve({ availableBytes: 1, hasSwap: false }) },
    });
    await fleet.start((await store.deployments()).filter(({ state }) => state === 'ready'));
    const directory = createDirectory(new RouteTable({ domain: 'localhost' }), fleet);
    for (const row of await store.deployments()) directory.note(row);
    const deployer = createDeployer({
      secrets: { pin: () => Promise.resolve({}) },
      directory,
      store,
      engine,
      builder,
      fleet,
      logs,
      clock: systemClock,
      blobs,
      folders,
      room: (question) => cleanup.room(question),
      clear: () => cleanup.clear(),
      buildsFolder: join(folder, 'builds'),
      buildTimeoutMs: 60_000,
      buildsAtOnce: 1,
      checkDockerfile,
      reporter,
    });
    const cleanup = await openCleanup({
      store,
      engine,
      fleet,
      logs,
      clock: systemClock,
      reporter,
      deploys: deployer,
      removeEnvironment: (project, name) => store.deleteEnvironment(project, name),
      onExpired: () => Promise.resolve(),
      aliases: () => Promise.resolve([]),
      sweepBlobs: (manifests, isDryRun) => folders.sweep(manifests, 60 * 60 * 1000, isDryRun),
      rules: DEFAULT_RULES,
      fileSystems: () => Promise.resolve([space]),
      budgetBytes: undefined,
      folders: { logs: join(folder, 'logs'), builds: join(folder, 'builds'), blobs: blobsFolder },
      reserveFile: join(folder, 'reserve'),
      databaseFiles: [],
    });
    await cleanup.clear();
    await deployer.resume();
    const close = async () => {
      fleet.stop();
      await cleanup.close();
      await deployer.close();
    };
    cleanups.push(close);
    return { fleet, deployer, directory, close };
  }

  async function upload(files: Readonly<Record<string, string>>): Promise<string> {
    const manifest: Manifest = await Promise.all(
      Object.entries(files).map(async ([path, text]) => ({
        kind: 'file' as const,
        path,
        mode: 0o644,
        bytes: Buffer.byteLength(text),
        sha256: await keep(text),
      })),
    );
    return keep(canonicalManifest(manifest));
  }

  function built(id: string, bytes = 1_000): BuildOutcome {
    const image = {
      id: `sha256:${id}`,
      bytes,
      layers: [{ bytes, createdBy: 'COPY . .' }],
      exposedPorts: [],
    };
    images.set(image.id, image);
    return { kind: 'built', image };
  }

  const folderOf = async (
    files: Readonly<Record<string, string>>,
    more: Partial<Omit<DeployRequest, 'source'>> = {},
  ) =>
    ({
      project: 'hello',
      configuration,
      source: { kind: 'folder', manifest: await upload(files) },
      createdBy: 'me',
      sees: () => true,
      ...more,
    }) satisfies DeployRequest;

  return {
    folder,
    store,
    builder,
    blobs,
    keep,
    images,
    removedImages,
    reports,
    space,
    boot,
    upload,
    built,
    folderOf,
  };
}

type Running = Awaited<ReturnType<Awaited<ReturnType<typeof openWorld>>['boot']>>;

/** Everything that is told of a deploy until its end. */
async function followed({ deployer }: Running, id: string): Promise<readonly ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  await deployer.follow(id, (event) => events.push(event), new AbortController().signal);
  return events;
}

const ended = (events: readonly ProgressEvent[]): Deployment | undefined => {
  const last = events.at(-1);
  return last?.kind === 'end' ? last.deployment : undefined;
};

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof BerthError ? error.code : String(error);
};

test('a folder becomes a ready deployment with one instance at rest, told step by step', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const { kind, deployment } = await berth.deployer.deploy(
    await world.folderOf({ Dockerfile: 'FROM scratch\n', 'src/app.js': '1' }),
  );
  expect(kind).toBe('started');
  expect(deployment.state).toBe('building');
  const events = followed(berth, deployment.id);
  const { signal } = new AbortController();
  expect(await berth.directory.fleet.acquire(deployment.id, signal)).toMatchObject({
    kind: 'refused',
    error: { code: 'NOT_READY', retryAfterSeconds: 5 },
  });
  await expect.poll(() => world.builder.began.length).toBe(1);
  const job = world.builder.began[0]!;
  expect(job).toMatchObject({
    id: deployment.id,
    dockerfile: 'Dockerfile',
    buildArgs: { ARG: 'value' },
  });
  expect((await readdir(job.folder, { recursive: true })).toSorted()).toEqual([
    'Dockerfile',
    'src',
    'src/app.js',
  ]);
  world.builder.end(deployment.id, world.built(deployment.id, 200 * 1024 * 1024));

  expect(ended(await events)).toMatchObject({
    state: 'ready',
    image: { id: `sha256:${deployment.id}` },
  });
  expect(
    (await events)
      .filter(({ kind }) => kind !== 'end')
      .map((event) =>
        event.kind === 'line' ? event.text : 'name' in event ? `${event.name} ${event.state}` : '',
      ),
  ).toEqual([
    'files done',
    'build running',
    'STEP 1',
    'build done',
    'image done',
    'The image has 210 MB. Its biggest layers:',
    '  210 MB  COPY . .',
    'boot running',
    'boot done',
  ]);
  expect(berth.fleet.instances(deployment.id).map(({ state }) => state)).toEqual(['frozen']);
  const acquired = await berth.directory.fleet.acquire(deployment.id, signal);
  expect(acquired).toMatchObject({ kind: 'leased', lease: { start: 'thawed' } });
  if (acquired.kind === 'leased') acquired.lease.end('done');
  expect(await world.store.ledger('image')).toMatchObject([{ id: `sha256:${deployment.id}` }]);
  await expect(stat(job.folder)).rejects.toThrow('ENOENT');
});

test('the same folder again is the same deployment, at once; another variable is another one', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const request = await world.folderOf({ Dockerfile: 'FROM scratch\n' });
  // Twice at the same time: one build.
  const both = await Promise.all([berth.deployer.deploy(request), berth.deployer.deploy(request)]);
  expect(both.map(({ kind }) => kind)).toEqual(['started', 'started']);
  const { id } = both[0].deployment;
  expect(both[1].deployment.id).toBe(id);
  await expect.poll(() => world.builder.began.length).toBe(1);
  world.builder.end(id, world.built(id));
  await followed(berth, id);

  expect(await berth.deployer.deploy(request)).toMatchObject({
    kind: 'ready',
    deployment: { id, state: 'ready' },
  });
  expect(world.builder.began.length).toBe(1);
  const other = await berth.deployer.deploy({
    ...request,
    configuration: { ...configuration, env: { A: 'b' } },
  });
  expect(other.kind).toBe('started');
  expect(other.deployment.id).not.toBe(id);
});

test('a deployment whose image was taken away is built again under its name', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const request = await world.folderOf({ Dockerfile: 'FROM scratch\n' });
  const { id } = (await berth.deployer.deploy(request)).deployment;
  await expect.poll(() => world.builder.began.length).toBe(1);
  world.builder.end(id, world.built(id));
  await followed(berth, id);
  world.images.clear();
  expect(await berth.deployer.deploy(request)).toMatchObject({
    kind: 'started',
    deployment: { id },
  });
  await expect.poll(() => world.builder.began.length).toBe(2);
  world.builder.end(id, world.built(id));
  expect(ended(await followed(berth, id))).toMatchObject({ state: 'ready' });
});

test('a failed build leaves its row and its output only, and is tried again when asked', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const request = await world.folderOf({ Dockerfile: 'FROM scratch\n' });
  const { id } = (await berth.deployer.deploy(request)).deployment;
  await expect.poll(() => world.builder.began.length).toBe(1);
  world.builder.end(id, { kind: 'failed', code: 'BUILD_FAILED', detail: 'RUN false ended with 1' });
  expect(ended(await followed(berth, id))).toMatchObject({
    state: 'failed',
    failure: { code: 'BUILD_FAILED', detail: 'RUN false ended with 1' },
  });
  expect(await world.store.ledger()).toEqual([]);
  await expect(stat(world.builder.began[0]!.folder)).rejects.toThrow('ENOENT');
  // Told again after the end, from what was kept.
  const again = await followed(berth, id);
  expect(again.map((event) => (event.kind === 'line' ? event.text : event.kind))).toEqual([
    'step',
    'STEP 1',
    'step',
    'end',
  ]);

  expect(await berth.deployer.deploy(request)).toMatchObject({
    kind: 'started',
    deployment: { id },
  });
  await expect.poll(() => world.builder.began.length).toBe(2);
});

test('an app that never listens fails the deploy with the code of the boot, and no instance stays', async () => {
  const world = await openWorld({ knobs: { ...CALM, listensAfterMs: () => undefined } });
  const berth = await world.boot();
  const { id } = (
    await berth.deployer.deploy(await world.folderOf({ Dockerfile: 'FROM scratch\n' }))
  ).deployment;
  await expect.poll(() => world.builder.began.length).toBe(1);
  world.builder.end(id, world.built(id));
  const events = await followed(berth, id);
  expect(ended(events)).toMatchObject({ state: 'failed', failure: { code: 'NO_PORT' } });
  expect(events).toContainEqual({ kind: 'step', name: 'boot', state: 'failed' });
  expect(berth.fleet.instances()).toEqual([]);
});

test('what cannot work is refused before anything is written', async () => {
  const world = await openWorld();
  const { deployer } = await world.boot();
  const whole = await world.folderOf({ Dockerfile: 'FROM scratch\n', a: 'b' });
  expect(await codeOf(deployer.deploy(await world.folderOf({ a: 'b' })))).toBe('NO_DOCKERFILE');
  expect(
    await codeOf(deployer.deploy(await world.folderOf({ Dockerfile: 'FROM a\nRUN <<E\nE\n' }))),
  ).toBe('DOCKERFILE_UNSUPPORTED');
  const absent = { kind: 'folder', manifest: '0'.repeat(64) } as const;
  expect(await codeOf(deployer.deploy({ ...whole, source: absent }))).toBe('UPLOAD_INCOMPLETE');
  const hostile = await world.keep(
    JSON.stringify([{ kind: 'file', path: '../x', mode: 0o644, bytes: 1, sha256: 'a'.repeat(64) }]),
  );
  expect(
    await codeOf(deployer.deploy({ ...whole, source: { kind: 'folder', manifest: hostile } })),
  ).toBe('UPLOAD_PATH');
  const image = { kind: 'image', reference: 'nowhere/none' } as const;
  expect(await codeOf(deployer.deploy({ ...whole, source: image }))).toBe('IMAGE_NOT_FOUND');
  world.space.freeBytes = GIB / 2;
  expect(await codeOf(deployer.deploy(whole))).toBe('DISK_FULL');
  await rm(join(world.folder, 'blobs'), { recursive: true });
  expect(await codeOf(deployer.deploy(whole))).toBe('UPLOAD_INCOMPLETE');
  expect(await world.store.deployments()).toEqual([]);
  expect(world.builder.began).toEqual([]);
});

test('an image is deployed without a build, named after what the reference meant', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  world.images.set('app:1', { id: 'sha256:one', bytes: 1, layers: [], exposedPorts: [] });
  world.images.set('sha256:one', { id: 'sha256:one', bytes: 1, layers: [], exposedPorts: [] });
  const request: DeployRequest = {
    project: 'hello',
    configuration,
    source: { kind: 'image', reference: 'app:1' },
    createdBy: 'me',
    sees: () => true,
  };
  const first = (await berth.deployer.deploy(request)).deployment;
  expect(first.state).toBe('verifying');
  expect(ended(await followed(berth, first.id))).toMatchObject({ state: 'ready' });
  expect((await berth.deployer.deploy(request)).kind).toBe('ready');
  // The tag was moved: another deployment.
  world.images.set('app:1', { id: 'sha256:two', bytes: 1, layers: [], exposedPorts: [] });
  world.images.set('sha256:two', { id: 'sha256:two', bytes: 1, layers: [], exposedPorts: [] });
  const second = (await berth.deployer.deploy(request)).deployment;
  expect(second.id).not.toBe(first.id);
  await followed(berth, second.id);
  // An image that Berth did not build stays when its deployment goes.
  await berth.deployer.remove(first);
  expect(world.removedImages).toEqual([]);
});

test('builds wait for each other, and say how many are before them', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const deploy = async (text: string) =>
    (await berth.deployer.deploy(await world.folderOf({ Dockerfile: `FROM ${text}\n` }))).deployment
      .id;
  const ids = [await deploy('a'), await deploy('b'), await deploy('c')];
  const third = followed(berth, ids[2]!);
  await expect.poll(() => world.builder.began.map(({ id }) => id)).toEqual(ids.slice(0, 1));
  for (const [index, id] of ids.entries()) {
    await expect.poll(() => world.builder.began.length).toBe(index + 1);
    world.builder.end(id, world.built(id));
  }
  const queue = (await third).flatMap((event) =>
    event.kind === 'step' && event.name === 'queue' ? [event.detail ?? event.state] : [],
  );
  expect(queue).toEqual(['2 builds before this one', '1 build before this one', 'done']);
});

test('a build goes on over a restart, and its follower after it hears all of it', async () => {
  const world = await openWorld();
  const before = await world.boot();
  const { id } = (
    await before.deployer.deploy(await world.folderOf({ Dockerfile: 'FROM scratch\n' }))
  ).deployment;
  await expect.poll(() => world.builder.began.length).toBe(1);
  const interrupted = followed(before, id);
  await before.close();
  expect(ended(await interrupted)).toBeUndefined();
  expect(await world.store.deployment(id)).toMatchObject({ state: 'building' });

  const after = await world.boot();
  const events = followed(after, id);
  world.builder.end(id, world.built(id));
  expect(ended(await events)).toMatchObject({ state: 'ready' });
  expect(await events).toContainEqual({ kind: 'line', text: 'STEP 1' });
  expect(world.builder.began.length).toBe(1);
});

test('a build that vanished with the machine is begun again, or fails when its files are gone', async () => {
  const world = await openWorld();
  const before = await world.boot();
  const request = await world.folderOf({ Dockerfile: 'FROM scratch\n' });
  const { id } = (await before.deployer.deploy(request)).deployment;
  await expect.poll(() => world.builder.began.length).toBe(1);
  await before.close();
  world.builder.forgetAll();
  const again = await world.boot();
  await expect.poll(() => world.builder.began.length).toBe(2);
  await again.close();

  world.builder.forgetAll();
  const dockerfile = (await world.blobs.readText(request.source.manifest)) ?? '[]';
  await rm(
    blobPath(
      join(world.folder, 'blobs'),
      (JSON.parse(dockerfile) as { sha256: string }[])[0]!.sha256,
    ),
  );
  const last = await world.boot();
  expect(ended(await followed(last, id))).toMatchObject({
    failure: { code: 'DEPLOY_INTERRUPTED' },
  });
});

test('a build that is lost is begun again, three times in all', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const deploy = async (text: string) =>
    (await berth.deployer.deploy(await world.folderOf({ Dockerfile: text }))).deployment.id;
  const lose = async (id: string, tries: number) => {
    await expect.poll(() => world.builder.began.filter((job) => job.id === id).length).toBe(tries);
    world.builder.end(id, { kind: 'lost' });
  };
  const kept = await deploy('FROM scratch\n');
  for (const tries of [1, 2]) await lose(kept, tries);
  await expect.poll(() => world.builder.began.length).toBe(3);
  world.builder.end(kept, world.built(kept));
  expect(ended(await followed(berth, kept))).toMatchObject({ state: 'ready' });

  const given = await deploy('FROM scratch\nCMD ["other"]\n');
  for (const tries of [1, 2, 3]) await lose(given, tries);
  expect(ended(await followed(berth, given))).toMatchObject({
    failure: { code: 'DEPLOY_INTERRUPTED' },
  });
});

test('removing takes the image only when no other deployment runs it', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const ids: string[] = [];
  for (const env of [{}, { A: '1' }]) {
    const request = await world.folderOf(
      { Dockerfile: 'FROM scratch\n' },
      { configuration: { ...configuration, env } },
    );
    const { id } = (await berth.deployer.deploy(request)).deployment;
    ids.push(id);
    await expect.poll(() => world.builder.began.length).toBe(ids.length);
    world.builder.end(id, world.built('shared'));
    await followed(berth, id);
  }
  const [first, second] = await Promise.all(ids.map((id) => world.store.deployment(id)));
  await berth.deployer.remove(first!);
  expect(world.removedImages).toEqual([]);
  expect(berth.fleet.instances(first!.id)).toEqual([]);
  await berth.deployer.remove(second!);
  expect(world.removedImages).toEqual(['sha256:shared']);
  expect(await world.store.deployments()).toEqual([]);
  expect(await world.store.ledger('image')).toEqual([]);
});

test('removing in mid-build ends the build, and whoever follows hears of it', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const { deployment } = await berth.deployer.deploy(
    await world.folderOf({ Dockerfile: 'FROM scratch\n' }),
  );
  await expect.poll(() => world.builder.began.length).toBe(1);
  const events = followed(berth, deployment.id);
  await berth.deployer.remove(deployment);
  expect(ended(await events)).toMatchObject({
    state: 'failed',
    failure: { code: 'DEPLOY_INTERRUPTED' },
  });
  expect(world.builder.discarded).toContain(deployment.id);
  expect(await world.store.deployments()).toEqual([]);
  expect(await readdir(join(world.folder, 'builds'))).toEqual([]);
});

test('the next start clears images and build folders that no deployment has', async () => {
  const world = await openWorld();
  const berth = await world.boot();
  const { id } = (
    await berth.deployer.deploy(await world.folderOf({ Dockerfile: 'FROM scratch\n' }))
  ).deployment;
  await expect.poll(() => world.builder.began.length).toBe(1);
  world.builder.end(id, world.built(id));
  await followed(berth, id);
  await berth.close();
  // As a crash in mid-removal leaves it, and an earlier build of what was built anew.
  for (const [image, deploymentId] of [
    ['sha256:orphan', 'gone-00000000'],
    ['sha256:earlier', id],
  ] as const) {
    await world.store.record({ kind: 'image', id: image, deploymentId, createdAt: 1 });
  }
  await writeFile(join(world.folder, 'builds', 'gone-00000000'), '');
  await world.boot();
  expect(world.removedImages.toSorted()).toEqual(['sha256:earlier', 'sha256:orphan']);
  const left = (await world.store.ledger('image')).map((entry) => entry.id);
  expect(left).toEqual([`sha256:${id}`]);
  expect(await readdir(join(world.folder, 'builds'))).not.toContain('gone-00000000');
});

test('neither a removal nor the end of the server waits for an app that does not come up', async () => {
  const never = { ...CALM, listensAfterMs: () => undefined };
  const world = await openWorld({ knobs: never, bootTimeoutMs: 60_000 });
  const first = await world.boot();
  const ids: string[] = [];
  for (const env of [{}, { A: '1' }]) {
    const request = await world.folderOf(
      { Dockerfile: 'FROM scratch\n' },
      { configuration: { ...configuration, env } },
    );
    const { id } = (await first.deployer.deploy(request)).deployment;
    ids.push(id);
    await expect.poll(() => world.builder.began.length).toBe(ids.length);
    world.builder.end(id, world.built(id));
    await expect
      .poll(() => first.fleet.instances(id).map(({ state }) => state))
      .toEqual(['booting']);
  }
  const began = systemClock.now();
  const removed = await world.store.deployment(ids[0]!);
  await first.deployer.remove(removed!);
  expect(first.fleet.instances(ids[0])).toEqual([]);
  await first.close();
  expect(systemClock.now() - began).toBeLessThan(10_000);
  // Unfinished, not failed: the next start verifies it again.
  expect((await world.store.deployments()).map(({ id, state }) => [id, state])).toEqual([
    [ids[1], 'verifying'],
  ]);
});
