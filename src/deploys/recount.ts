/** The progress of a deploy that has ended, told again from what was kept. */
import type { DeploymentId } from '../core/model.ts';
import type { DeploysNeeds } from './needs.ts';
import type { ProgressEvent } from './progress.ts';
import { tellImage } from './run.ts';

/** Lines of the app that a failed boot is told with. */
const LAST_LINES = 50;

/** Tells nothing when there is no such deployment. Steps have no times: those were not kept. */
export async function recount(
  { store, builder, logs }: Pick<DeploysNeeds, 'store' | 'builder' | 'logs'>,
  id: DeploymentId,
  onEvent: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const deployment = await store.deployment(id);
  if (!deployment) return;
  const { image, state } = deployment;
  if (deployment.source.kind === 'folder') {
    onEvent({ kind: 'step', name: 'build', state: 'running' });
    await builder.follow(id, (text) => onEvent({ kind: 'line', text }), signal);
    if (signal.aborted) return;
    onEvent({ kind: 'step', name: 'build', state: image ? 'done' : 'failed' });
  }
  if (image) {
    tellImage(image, { append: onEvent });
    if (state === 'failed') {
      const lines = await logs.read(id, { tail: LAST_LINES });
      for (const { text } of lines) onEvent({ kind: 'line', text });
    }
    onEvent({ kind: 'step', name: 'boot', state: state === 'ready' ? 'done' : 'failed' });
  }
  onEvent({ kind: 'end', deployment });
}
