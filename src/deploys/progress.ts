/** What happens during a deploy, kept from the first event on for everyone who follows it. */
import type { Deployment } from '../core/model.ts';
import type { Clock } from '../ports/clock.ts';

export type StepName = 'queue' | 'files' | 'build' | 'image' | 'boot';
export type StepState = 'running' | 'done' | 'failed';

export interface StepEvent {
  readonly kind: 'step';
  readonly name: StepName;
  readonly state: StepState;
  /** Time since the step began; absent when that is no longer known. */
  readonly elapsedMs?: number;
  /** What there is to say about it, for example `2 builds before this one`. */
  readonly detail?: string;
}

export type ProgressEvent =
  | StepEvent
  | { readonly kind: 'line'; readonly text: string }
  /** The last one. */
  | { readonly kind: 'end'; readonly deployment: Deployment };

/** A list that grows and can be read from the start while it does. */
export interface Journal<Event> {
  append(event: Event): void;
  /** No more will come. */
  close(): void;
  /** The event at `index`, once it is there; undefined when the record was closed before it, or `signal` aborted. */
  at(index: number, signal: AbortSignal): Promise<Event | undefined>;
}

export function createJournal<Event>(): Journal<Event> {
  const events: Event[] = [];
  const wakers = new Set<() => void>();
  let closed = false;

  function wakeAll(): void {
    for (const wake of wakers) wake();
  }

  return {
    append(event) {
      events.push(event);
      wakeAll();
    },
    close() {
      closed = true;
      wakeAll();
    },
    async at(index, signal) {
      while (index >= events.length && !closed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            wakers.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          wakers.add(wake);
          signal.addEventListener('abort', wake, { once: true });
        });
      }
      return signal.aborted ? undefined : events[index];
    },
  };
}

/** A step that begins now: tells the journal its state and the time since. */
export function beginStep(
  clock: Clock,
  journal: Journal<ProgressEvent>,
  name: StepName,
): (state: StepState, detail?: string) => void {
  const beganAt = clock.now();
  return (state, detail) => {
    const step = { kind: 'step', name, state, elapsedMs: clock.now() - beganAt } as const;
    journal.append(detail === undefined ? step : { ...step, detail });
  };
}
