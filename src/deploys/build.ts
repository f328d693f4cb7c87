/** From an uploaded folder to an image: wait for a lane, lay out the files, build, or follow a build that already runs. */
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Deployment, Image, Source } from '../core/model.ts';
import type { Lanes } from './lanes.ts';
import type { DeploysNeeds } from './needs.ts';
import { beginStep } from './progress.ts';
import type { Journal, ProgressEvent } from './progress.ts';

/** Lines of the build's output that an error carries. */
const LAST_LINES = 50;
/** Of a build that is lost each time: killed from outside, or overtaken by somebody who removes images. */
const MOST_TRIES = 3;
/** The file of a folder that is built when the configuration names none. */
const DEFAULT_DOCKERFILE = 'Dockerfile';

export interface BuildNeeds extends DeploysNeeds {
  readonly lanes: Lanes;
}

/** What is built: a deployment whose source is a folder. */
export interface BuildOrder {
  readonly deployment: Deployment;
  readonly source: Extract<Source, { kind: 'folder' }>;
  /** It was found unfinished at the start of Berth: its builder may still be at work, or be done. */
  readonly isResumed: boolean;
}

/** Path of the Dockerfile inside the folder. */
export function dockerfileOf(deployment: Pick<Deployment, 'configuration'>): string {
  return deployment.configuration.dockerfile ?? DEFAULT_DOCKERFILE;
}

/** Where the files of a build are while it runs. */
export function contextFolder(needs: DeploysNeeds, deploymentId: string): string {
  return join(needs.buildsFolder, deploymentId, 'context');
}

/**
 * The image, or undefined when `signal` aborted first. Throws the code of the builder's outcome with the last lines,
 * DISK_FULL, or DEPLOY_INTERRUPTED when a build that was under way cannot be begun again.
 */
export async function build(
  needs: BuildNeeds,
  order: BuildOrder,
  journal: Journal<ProgressEvent>,
  signal: AbortSignal,
): Promise<Image | undefined> {
  const queue = beginStep(needs.clock, journal, 'queue');
  let hasWaited = false;
  const leave = await needs.lanes.enter(signal, (before) => {
    hasWaited = true;
    queue('running', before === 1 ? '1 build before this one' : `${before} builds before this one`);
  });
  if (!leave) return undefined;
  if (hasWaited) queue('done');
  try {
    const followed = order.isResumed ? await follow(needs, order, journal, signal) : 'lost';
    if (followed !== 'lost') return followed;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      await begin(needs, order, journal);
      if (signal.aborted) return undefined;
      const built = await follow(needs, order, journal, signal);
      if (built !== 'lost') return built;
    }
    throw new BerthError('DEPLOY_INTERRUPTED', { detail: 'The process of the build vanished.' });
  } finally {
    leave();
  }
}

async function begin(
  needs: BuildNeeds,
  { deployment, source }: BuildOrder,
  journal: Journal<ProgressEvent>,
): Promise<void> {
  const files = beginStep(needs.clock, journal, 'files');
  // Looked at again after the queue: earlier builds may have filled the disk.
  await needs.room({ wantedBytes: source.bytes, isAlone: needs.buildsAtOnce === 1 });
  // Traces of an earlier try of the same deployment would be taken for this one's outcome.
  await needs.builder.discard(deployment.id);
  const folder = contextFolder(needs, deployment.id);
  await needs.folders.layOut(source.manifest, folder);
  files('done', `${source.files} files`);
  await needs.builder.begin({
    id: deployment.id,
    folder,
    dockerfile: dockerfileOf(deployment),
    buildArgs: deployment.configuration.buildEnv,
    timeoutMs: needs.buildTimeoutMs,
  });
}

/** Undefined when the signal aborted, `lost` when the builder knows nothing of it. */
async function follow(
  needs: BuildNeeds,
  { deployment }: BuildOrder,
  journal: Journal<ProgressEvent>,
  signal: AbortSignal,
): Promise<Image | 'lost' | undefined> {
  const step = beginStep(needs.clock, journal, 'build');
  // Whoever follows the journal reads the lines from the builder on this event: they are kept once, on the disk.
  step('running');
  const lines: string[] = [];
  const began = needs.clock.now();
  const outcome = await needs.builder.follow(
    deployment.id,
    (line) => {
      lines.push(line);
      if (lines.length > LAST_LINES) lines.shift();
    },
    signal,
  );
  if (signal.aborted) return undefined;
  if (outcome.kind === 'lost') return 'lost';
  needs.reporter.report('info', 'build.ended', {
    deployment: deployment.id,
    ms: Math.round(needs.clock.now() - began),
    ...(outcome.kind === 'failed' && { code: outcome.code }),
  });
  if (outcome.kind === 'built') {
    step('done');
    return outcome.image;
  }
  step('failed');
  throw new BerthError(outcome.code, { detail: outcome.detail, log: lines });
}
