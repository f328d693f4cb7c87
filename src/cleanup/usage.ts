/** What Berth has on the disk, by kind and by project, and for how long that will go on. */
import { join } from 'node:path';
import { buildReserveBytes, defaultBudgetBytes, type DiskSpace, roomBytes } from '../core/disk.ts';
import { type Forecast, forecast } from '../core/forecast.ts';
import type { DeploymentId } from '../core/model.ts';
import { imageBytes, type ImageUse } from '../core/stored-images.ts';
import { fileBytes, folderBytes, namesIn } from './measure.ts';
import type { CleanupNeeds } from './needs.ts';

/** Bytes of each kind. Layers that several images share are counted once. */
export interface KindBytes {
  readonly images: number;
  /** Layers that no deployment runs: they speed up builds. */
  readonly cache: number;
  readonly logs: number;
  /** Folders of builds: their output, and while they run their files. */
  readonly builds: number;
}

export interface ProjectBytes extends KindBytes {
  /** Absent: shared by several projects, or nobody's. */
  readonly project?: string;
  readonly deployments: number;
}

export interface DiskUsage {
  /** ms since the epoch. */
  readonly at: number;
  readonly kinds: KindBytes & { readonly blobs: number; readonly database: number };
  /** Biggest first. */
  readonly projects: readonly ProjectBytes[];
  readonly usedBytes: number;
  readonly budgetBytes: number;
  /** Until builds are refused. */
  readonly roomBytes: number;
  readonly fileSystems: readonly (DiskSpace & { readonly reserveBytes: number })[];
  readonly forecast: Forecast;
}

export async function measureUsage(needs: CleanupNeeds): Promise<DiskUsage> {
  const { store, engine, folders, clock } = needs;
  const ledger = await store.ledger();
  const uses: ImageUse[] = [];
  const projectOf = new Map<DeploymentId, string>();
  for await (const page of store.deploymentPages()) {
    for (const { id, project, image, state } of page) {
      projectOf.set(id, project);
      if (image && state !== 'failed') uses.push({ project, imageId: image.id, kind: 'images' });
    }
  }
  const images = await engine.images();
  for (const { kind, id, deploymentId } of ledger) {
    if (kind !== 'image' && kind !== 'layer') continue;
    const project = deploymentId === undefined ? undefined : projectOf.get(deploymentId);
    uses.push({ project, imageId: id, kind: 'cache' });
  }
  const projects = new Map<string | undefined, Mutable<ProjectBytes>>();
  const of = (project: string | undefined) => {
    let found = projects.get(project);
    if (!found) {
      found = { images: 0, cache: 0, logs: 0, builds: 0, deployments: 0 };
      if (project !== undefined) found.project = project;
      projects.set(project, found);
    }
    return found;
  };
  for (const project of projectOf.values()) of(project).deployments += 1;
  for (const [project, bytes] of imageBytes(uses, images)) Object.assign(of(project), bytes);
  for (const kind of ['logs', 'builds'] as const) {
    for (const id of await namesIn(folders[kind])) {
      of(projectOf.get(id))[kind] += await folderBytes(join(folders[kind], id));
    }
  }
  const rows = [...projects.values()];
  const sum = (kind: keyof KindBytes) => rows.reduce((total, row) => total + row[kind], 0);
  let database = 0;
  for (const file of needs.databaseFiles) database += await fileBytes(file);
  const kinds = {
    images: sum('images'),
    cache: sum('cache'),
    logs: sum('logs'),
    builds: sum('builds'),
    blobs: await folderBytes(folders.blobs),
    database,
  };
  const usedBytes = Object.values(kinds).reduce((total, bytes) => total + bytes, 0);
  const fileSystems = await needs.fileSystems();
  const budgetBytes = budgetOf(needs, fileSystems);
  const room = roomBytes({ fileSystems, usedBytes, budgetBytes });
  const now = clock.now();
  return {
    at: now,
    kinds,
    projects: rows.toSorted((one, other) => bytesOf(other) - bytesOf(one)),
    usedBytes,
    budgetBytes,
    roomBytes: room,
    fileSystems: fileSystems.map((space) => ({
      ...space,
      reserveBytes: buildReserveBytes(space.totalBytes),
    })),
    forecast: forecast(await store.diskSamples(), usedBytes + room, now),
  };
}

/** What was said, or a share of the file system of the images. */
export function budgetOf(needs: CleanupNeeds, fileSystems: readonly DiskSpace[]): number {
  return needs.budgetBytes ?? defaultBudgetBytes(fileSystems[0]?.totalBytes ?? 0);
}

/** Of all kinds together. */
export function bytesOf({ images, cache, logs, builds }: KindBytes): number {
  return images + cache + logs + builds;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
