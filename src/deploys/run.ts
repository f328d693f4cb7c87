/** One deploy from its files to a verified deployment: building → verifying → ready, or failed from either. */
import { rm } from 'node:fs/promises';
import { BerthError } from '../core/errors.ts';
import { bytesInWords } from '../core/words.ts';
import { LARGE_IMAGE_BYTES } from '../core/limits.ts';
import type { Deployment, Image } from '../core/model.ts';
import { build, contextFolder } from './build.ts';
import type { BuildNeeds } from './build.ts';
import { beginStep } from './progress.ts';
import type { Journal, ProgressEvent } from './progress.ts';
import { why } from './why.ts';

const SHOWN_LAYERS = 3;
const MIB = 1024 * 1024;

/**
 * Brings `deployment` to `ready` or `failed`, telling `journal` about it, and returns its last form.
 * Undefined when `signal` aborted: then the row stays as it was last written, to be continued or removed.
 */
export async function runDeploy(
  needs: BuildNeeds,
  deployment: Deployment,
  isResumed: boolean,
  journal: Journal<ProgressEvent>,
  signal: AbortSignal,
): Promise<Deployment | undefined> {
  let current = deployment;
  try {
    if (!current.image) {
      const withImage = await buildImage(needs, current, isResumed, journal, signal);
      if (!withImage) return undefined;
      current = withImage;
    }
    if (current.image) tellImage(current.image, journal);
    if (signal.aborted) return undefined;
    const boot = beginStep(needs.clock, journal, 'boot');
    boot('running');
    const verified = await Promise.race([needs.fleet.verify(current), whenAborted(signal)]);
    // What boots meanwhile is ended by the removal, or by the next start.
    if (signal.aborted || !verified) return undefined;
    current = { ...current, state: 'ready', readyAt: needs.clock.now() };
    await needs.store.updateDeployment(current);
    needs.fleet.add(current);
    needs.directory.note(current);
    boot('done', `listens on port ${verified.port} after ${Math.round(verified.bootMs)} ms`);
  } catch (error) {
    if (signal.aborted) return undefined;
    current = await fail(needs, current, error, journal);
  }
  needs.reporter.report('info', 'deploy.ended', {
    deployment: current.id,
    state: current.state,
    ...(current.failure && { code: current.failure.code }),
  });
  journal.append({ kind: 'end', deployment: current });
  return current;
}

/** So that neither a removal nor the end of the server waits for an app that does not come up. */
function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** What there is to say about an image: its size, and the biggest layers of a large one. */
export function tellImage(image: Image, journal: Pick<Journal<ProgressEvent>, 'append'>): void {
  journal.append({ kind: 'step', name: 'image', state: 'done', detail: bytesInWords(image.bytes) });
  if (image.bytes < LARGE_IMAGE_BYTES) return;
  journal.append({
    kind: 'line',
    text: `The image has ${bytesInWords(image.bytes)}. Its biggest layers:`,
  });
  for (const layer of image.layers.filter(({ bytes }) => bytes >= MIB).slice(0, SHOWN_LAYERS)) {
    journal.append({
      kind: 'line',
      text: `  ${bytesInWords(layer.bytes)}  ${layer.createdBy.trim()}`,
    });
  }
}

async function buildImage(
  needs: BuildNeeds,
  deployment: Deployment,
  isResumed: boolean,
  journal: Journal<ProgressEvent>,
  signal: AbortSignal,
): Promise<Deployment | undefined> {
  const { source } = deployment;
  if (source.kind === 'image') {
    return { ...deployment, image: await needs.engine.image(source.reference) };
  }
  const image = await build(needs, { deployment, source, isResumed }, journal, signal);
  if (!image) return undefined;
  // In the ledger first: should the next write not happen, the image is still known to be ours.
  await needs.store.record({
    kind: 'image',
    id: image.id,
    deploymentId: deployment.id,
    createdAt: needs.clock.now(),
  });
  const verifying: Deployment = { ...deployment, state: 'verifying', image };
  await needs.store.updateDeployment(verifying);
  needs.directory.note(verifying);
  await rm(contextFolder(needs, deployment.id), { recursive: true, force: true });
  return verifying;
}

/** Nothing of a failed deploy stays but its row, the build's output, and a finished image. */
async function fail(
  needs: BuildNeeds,
  deployment: Deployment,
  error: unknown,
  journal: Journal<ProgressEvent>,
): Promise<Deployment> {
  const known = error instanceof BerthError ? error : undefined;
  if (!known)
    needs.reporter.report('error', 'deploy.failed', { id: deployment.id, error: why(error) });
  const failed: Deployment = {
    ...deployment,
    state: 'failed',
    failure: known
      ? { code: known.code, detail: known.detail }
      : { code: 'INTERNAL', detail: 'The log of `berth serve` has the details.' },
  };
  if (deployment.image) {
    // What the app wrote before it failed: the lines of a failed build were told while they came.
    for (const text of known?.log ?? []) journal.append({ kind: 'line', text });
    journal.append({ kind: 'step', name: 'boot', state: 'failed' });
  }
  needs.directory.note(failed);
  try {
    await needs.store.updateDeployment(failed);
    await rm(contextFolder(needs, deployment.id), { recursive: true, force: true });
  } catch (error) {
    // A disk too full for this row too: whoever follows still hears of the failure, and the next start tries again.
    needs.reporter.report('error', 'deploy.unwritten', { id: deployment.id, error: why(error) });
  }
  return failed;
}
