/** What happens to our containers, as it happens; reconnects by itself. */
import type { EngineEvent } from '../../ports/engine.ts';
import type { Context } from './context.ts';
import { LABEL } from './names.ts';

/** The part of libpod's events that we read. */
interface PodmanEvent {
  readonly Action?: string;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Resolves when `signal` aborts. Each time the stream stands, `resync` tells that something may have been missed. */
export async function watch(
  context: Context,
  onEvent: (event: EngineEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, ledgerId } = context;
  let pauseMs = FIRST_PAUSE_MS;
  // One after the other, so that `removed` never overtakes `exited`.
  let told = Promise.resolve();
  while (!signal.aborted) {
    try {
      await client.stream(
        {
          method: 'GET',
          path: '/events',
          query: {
            stream: true,
            filters: JSON.stringify({
              type: ['container'],
              label: [`${LABEL.ledger}=${ledgerId}`],
              event: ['died', 'remove'],
            }),
          },
          lane: 'long',
          signal,
        },
        (value) => {
          told = told.then(() => tell(context, value as PodmanEvent, onEvent, signal));
        },
        () => {
          pauseMs = FIRST_PAUSE_MS;
          onEvent({ kind: 'resync' });
        },
      );
    } catch {
      // The service is away; the next round starts it anew.
    }
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

async function tell(
  context: Context,
  event: PodmanEvent,
  onEvent: (event: EngineEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { instances } = context;
  const attributes = event.Actor?.Attributes ?? {};
  const id = attributes[LABEL.instance];
  if (id === undefined) return;
  if (event.Action === 'remove') {
    instances.forget(id);
    if (!signal.aborted) onEvent({ kind: 'removed', id });
    return;
  }
  const code = Number(attributes.containerExitCode ?? 0);
  let outOfMemory = false;
  try {
    // The event does not know about memory.
    outOfMemory = (await instances.refresh(id))?.exit?.outOfMemory ?? false;
  } catch {
    // Podman is away: `resync` will follow.
  }
  if (!signal.aborted) onEvent({ kind: 'exited', id, exit: { code, outOfMemory } });
}
