/** Clean-up by the hour on a virtual clock: what it removes by itself, what it writes, and what a full disk does to it. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { BerthError } from '../core/errors.ts';
import { aDeployment } from '../core/fixtures/deployment.ts';
import { DEFAULT_RULES, type CleanupRules } from '../core/gc.ts';
import type { Deployment, InstanceView } from '../core/model.ts';
import { createMemoryEngine } from '../engines/memory/engine.ts';
import { MemoryStore } from '../stores/memory/store.ts';
import { openCleanup } from './open.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const GB = 1e9;

function preview(id: string, createdAt: number): Deployment {
  return aDeployment({ id, project: 'shop', state: 'ready', createdAt });
}

/** A store that counts what is written, and refuses it while its disk is full. */
class CountingStore extends MemoryStore {
  writes = 0;
  isFull = false;
  isReleasing = false;
  constructor() {
    super();
    const note = this.noteRequests.bind(this);
    this.noteRequests = async (at) => {
      this.writes += 1;
      if (this.isFull) throw new BerthError('DISK_FULL');
      await note(at);
    };
    const remove = this.deleteEnvironment.bind(this);
    this.deleteEnvironment = async (project, name) => {
      if (this.isReleasing) throw new BerthError('RELEASE_IN_PROGRESS');
      await remove(project, name);
    };
  }
}

async function openWorld(rules: Partial<CleanupRules> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'berth-cleanup-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const folders = {
    logs: join(folder, 'logs'),
    builds: join(folder, 'builds'),
    blobs: join(folder, 'blobs'),
  };
  for (const path of Object.values(folders)) await mkdir(path);
  const clock = new VirtualClock();
  const store = new CountingStore();
  const instances: InstanceView[] = [];
  const expired: string[] = [];
  const reports: string[] = [];
  let looks = 0;
  let sweep = () => Promise.resolve();
  const space = { freeBytes: 60 * GB, totalBytes: 100 * GB };
  const engine = createMemoryEngine({ clock });
  const open = () =>
    openCleanup({
      store,
      engine,
      fleet: { instances: () => instances },
      logs: { remove: (id) => rm(join(folders.logs, id), { recursive: true }) },
      clock,
      reporter: { report: (_level, event) => void reports.push(event) },
      deploys: {
        underWay: () => new Set(),
        isBuilding: () => false,
        whileNoBuild: async (work) => {
          await work();
          return true;
        },
        removeRow: ({ id }) => store.deleteDeployment(id),
        discardBuild: (id) => rm(join(folders.builds, id), { recursive: true }),
      },
      removeEnvironment: (project, name) => store.deleteEnvironment(project, name),
      onExpired: async ({ id }, because) => void expired.push(`${id}: ${because}`),
      aliases: () => {
        looks += 1;
        return Promise.resolve([]);
      },
      sweepBlobs: async () => {
        await sweep();
        return { count: 0, bytes: 0 };
      },
      rules: { ...DEFAULT_RULES, ...rules },
      fileSystems: () => Promise.resolve([space]),
      budgetBytes: 10 * GB,
      folders,
      reserveFile: join(folder, 'reserve'),
      databaseFiles: [],
    });
  /** Real files take turns of the event loop that virtual time does not wait for. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= HOUR_MS) {
      await clock.advance(Math.min(left, HOUR_MS));
      await cleanup.usage();
    }
  };
  /** Lets time pass, hour by hour, until it is so. */
  const passUntil = async (isSo: () => Promise<boolean>) => {
    for (let hours = 0; !(await isSo()); hours += 1) {
      if (hours > 24 * 30) throw new Error('it did not become so within a month');
      await pass(HOUR_MS);
    }
  };
  const cleanup = await open();
  onTestFinished(() => cleanup.close());
  /** The first look is over when this resolves. */
  const start = async () => {
    cleanup.start();
    await expect.poll(() => store.diskSamples(), { timeout: 30_000 }).toHaveLength(1);
  };
  return {
    cleanup,
    clock,
    store,
    engine,
    instances,
    expired,
    reports,
    folders,
    space,
    open,
    pass,
    passUntil,
    start,
    /** How often it has looked at all there is. */
    looks: () => looks,
    /** Holds the last step of a clean-up; resolves when one has come to it. */
    holdSweep: (until: Promise<void>) =>
      new Promise<void>((resolve) => {
        sweep = () => {
          resolve();
          return until;
        };
      }),
  };
}

test('previews go by the hour when their time is over, and not in the first hour after a start', async () => {
  const { cleanup, clock, store, expired, pass, passUntil, start } = await openWorld();
  await store.insertDeployment(preview('old', clock.now() - 9 * DAY_MS));
  await store.insertDeployment(preview('asked', clock.now() - 9 * DAY_MS));
  await store.insertDeployment(preview('new', clock.now()));
  cleanup.noteRequest('asked');
  await start();
  await pass(HOUR_MS / 2);
  expect(expired).toEqual([]);
  await passUntil(async () => expired.length > 0);
  expect(expired).toEqual(['old: preview, no request since it was made 9 days, lives 7 days']);
  expect((await store.deployments()).map(({ id }) => id).toSorted()).toEqual(['asked', 'new']);
  await passUntil(async () => (await store.deployments()).length === 0);
});

test('the preview of a branch goes before what it runs, and stays with it when it cannot', async () => {
  const { cleanup, clock, store } = await openWorld();
  for (const [id, environment] of [
    ['cart', 'preview/cart'],
    ['live', 'production'],
  ] as const) {
    await store.insertDeployment(preview(id, clock.now() - 30 * DAY_MS));
    const release = await store.beginRelease({
      project: 'shop',
      environment,
      kind: 'deploy',
      baseId: id,
      deploymentId: id,
      settings: { variables: {}, limits: {} },
      secrets: {},
      because: '',
      createdAt: clock.now() - 30 * DAY_MS,
      createdBy: 'local',
    });
    await store.switchTo(release);
  }
  store.isReleasing = true;
  const refused = await cleanup.run();
  expect(refused.lines.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
    'environment left',
  ]);
  store.isReleasing = false;
  const done = await cleanup.run();
  expect(done.lines.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
    'shop/preview/cart removed',
    'cart removed',
  ]);
  expect((await store.deployments()).map(({ id }) => id)).toEqual(['live']);
  expect((await store.environments()).map(({ name }) => name)).toEqual(['production']);
});

test('whoever is awake or was asked lately lives on', async () => {
  const { cleanup, clock, store, instances, pass, start } = await openWorld();
  await store.insertDeployment(preview('awake', clock.now()));
  await store.insertDeployment(preview('asleep', clock.now()));
  await store.insertDeployment(preview('used', clock.now()));
  for (const [deploymentId, state] of [
    ['awake', 'ready'],
    ['asleep', 'frozen'],
  ] as const) {
    const id = `${deploymentId}.1`;
    instances.push({
      id,
      deploymentId,
      state,
      inFlight: 0,
      createdAt: 0,
      runningMs: 0,
      because: '',
    });
  }
  await start();
  for (let day = 0; day < 10; day += 1) {
    cleanup.noteRequest('used');
    await pass(DAY_MS);
  }
  await expect
    .poll(async () => (await store.deployments()).map(({ id }) => id).toSorted())
    .toEqual(['awake', 'used']);
});

test('requests are written once a minute at most and then by the hour, however many there are, and at the end', async () => {
  const { cleanup, clock, store, open } = await openWorld();
  await store.insertDeployment(preview('busy', clock.now()));
  cleanup.start();
  for (let minute = 0; minute < 180; minute += 1) {
    for (let request = 0; request < 100; request += 1) cleanup.noteRequest('busy');
    await clock.advance(60_000);
  }
  expect(store.writes).toBeLessThanOrEqual(4);
  expect(store.writes).toBeGreaterThanOrEqual(2);
  cleanup.noteRequest('busy');
  const last = clock.now();
  await cleanup.close();
  expect((await store.lastRequests()).get('busy')).toBe(last);
  const again = await open();
  await again.close();
  expect((await store.lastRequests()).get('busy')).toBe(last);
});

test('what cannot be written on a full disk is kept, and written when there is room', async () => {
  const { cleanup, clock, store, reports } = await openWorld();
  await store.insertDeployment(preview('asked', clock.now()));
  store.isFull = true;
  cleanup.start();
  cleanup.noteRequest('asked');
  const asked = clock.now();
  await clock.advance(3 * 60_000);
  expect(reports).toContain('requests.unwritten');
  expect(await store.lastRequests()).toEqual(new Map());
  store.isFull = false;
  await clock.advance(60_000);
  expect((await store.lastRequests()).get('asked')).toBe(asked);
});

test('folders that no deployment has go at the start, and others stay', async () => {
  const { cleanup, clock, store, folders } = await openWorld();
  await store.insertDeployment(preview('here', clock.now() - 30 * DAY_MS));
  for (const id of ['here', 'gone']) {
    await mkdir(join(folders.logs, id));
    await writeFile(join(folders.logs, id, 'x.log'), 'text');
    await mkdir(join(folders.builds, id));
  }
  await cleanup.clear();
  expect(await readdir(folders.logs)).toEqual(['here']);
  expect(await readdir(folders.builds)).toEqual(['here']);
});

test('deployments that are removed together are cleared after together, and one that comes later is not forgotten', async () => {
  const { cleanup, looks, holdSweep, folders } = await openWorld();
  const counted = async (times: number) => {
    const before = looks();
    await Promise.all(Array.from({ length: times }, () => cleanup.clear()));
    return looks() - before;
  };
  const once = await counted(1);
  // The first has begun before the others came, so they need one more.
  expect(await counted(20)).toBeLessThanOrEqual(2 * once);
  const { promise: isHeld, resolve: letGo } = Promise.withResolvers<void>();
  const hasLooked = holdSweep(isHeld);
  const first = cleanup.clear();
  await hasLooked;
  await mkdir(join(folders.builds, 'late'));
  const second = cleanup.clear();
  letGo();
  await Promise.all([first, second]);
  expect(await readdir(folders.builds)).toEqual([]);
});

test('the disk is measured each day, and after three days there is a forecast', async () => {
  const { cleanup, store, folders, pass, start } = await openWorld();
  await start();
  for (let day = 0; day < 5; day += 1) {
    await writeFile(join(folders.blobs, `${day}`), Buffer.alloc(4_000_000));
    await pass(DAY_MS);
  }
  expect((await store.diskSamples()).length).toBeGreaterThanOrEqual(5);
  const { forecast, usedBytes, budgetBytes } = await cleanup.usage();
  expect(usedBytes).toBeGreaterThan(19_000_000);
  expect(budgetBytes).toBe(10 * GB);
  expect(forecast.kind).not.toBe('unknown');
});

test('at the mark what only explains an old failure goes at once, and what lives on stays', async () => {
  const { cleanup, store, space, clock } = await openWorld();
  await store.insertDeployment({ ...preview('failed', clock.now() - 1), state: 'failed' });
  await store.insertDeployment(preview('lives', clock.now()));
  await cleanup.run();
  expect((await store.deployments()).length).toBe(2);
  space.freeBytes = GB;
  await expect(cleanup.room({ wantedBytes: 0 })).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect((await store.deployments()).map(({ id }) => id)).toEqual(['lives']);
});

test('without room a build is refused with what is missing, what a clean-up gives, and who takes the most', async () => {
  const { cleanup, store, folders, space, clock } = await openWorld();
  await store.insertDeployment(preview('shop-1', clock.now()));
  await mkdir(join(folders.logs, 'shop-1'));
  await writeFile(join(folders.logs, 'shop-1', 'a.log'), Buffer.alloc(3_000_000));
  await cleanup.room({ wantedBytes: GB });
  await expect(cleanup.room({ wantedBytes: 12 * GB })).rejects.toMatchObject({
    code: 'DISK_BUDGET',
    detail: expect.stringMatching(/2\.0 GB are missing\..*The biggest: shop 3\.0 MB\./s) as string,
  });
  space.freeBytes = 14 * GB;
  await expect(cleanup.room({ wantedBytes: 0 })).rejects.toMatchObject({ code: 'DISK_FULL' });
  space.freeBytes = 16 * GB;
  await cleanup.room({ wantedBytes: 0 });
});

test('the first upload after a start waits for no look at the images where there was room before', async () => {
  const { cleanup, store, engine, clock, open } = await openWorld();
  engine.images = () => new Promise(() => {});
  // Nothing was ever made.
  await cleanup.room({ wantedBytes: GB });
  await store.noteDiskSample({ at: clock.now(), usedBytes: GB }, 0);
  await store.record({ kind: 'image', id: 'sha256:1', createdAt: clock.now() });
  const next = await open();
  await next.room({ wantedBytes: GB });
  let isAnswered = false;
  void next.room({ wantedBytes: 6 * GB }).then(() => {
    isAnswered = true;
  });
  await clock.advance(HOUR_MS);
  expect(isAnswered).toBe(false);
});
