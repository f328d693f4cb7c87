/** Tells that something changed in a folder, by the operating system where it can. */
import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../ports/clock.ts';

/** Calls `onChange` at every change in the folder until closed; `onEnd` when it cannot go on. May throw. */
export type WatchFolder = (
  folder: string,
  onChange: () => void,
  onEnd: () => void,
) => { close(): void };

export const watchFolder: WatchFolder = (folder, onChange, onEnd) => {
  const watcher: FSWatcher = watch(folder, { persistent: false }, onChange);
  watcher.on('error', onEnd);
  return watcher;
};

/** Looking this often is enough when the operating system tells of changes: it may lose some when there are many. */
const WATCHED_MS = 1_000;
/** Without help (no inotify left, a file system that has none) we look so often. */
const UNWATCHED_MS = 250;

/** Waits for changes in one folder. */
export class FolderWatch {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #watchFolder: WatchFolder;
  #watcher: { close(): void } | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(folder: string, clock: Clock, watch: WatchFolder) {
    this.#folder = folder;
    this.#clock = clock;
    this.#watchFolder = watch;
  }

  /** Begins to watch unless it does. To be called before looking, so that no change falls in between. */
  begin(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = this.#watchFolder(
        this.#folder,
        () => this.#ring(),
        () => {
          this.end();
          this.#ring();
        },
      );
    } catch {
      // The folder is not there yet, or the limits of the host are used up: looking now and then does as well.
    }
  }

  /** Until something changed since the last call, or it is time to look anyway, or the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#changed && !signal.aborted) {
      const waiting = new AbortController();
      const wake = () => waiting.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
      await this.#clock.sleep(this.#watcher ? WATCHED_MS : UNWATCHED_MS, waiting.signal);
      signal.removeEventListener('abort', wake);
      this.#wake = undefined;
    }
    this.#changed = false;
  }

  /** Stops watching; `begin` may be called again. */
  end(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #ring(): void {
    this.#changed = true;
    this.#wake?.();
  }
}
