/**
 * What turns a folder into an image. A build is a process that outlives the control plane: it is begun once and
 * followed by whoever is there, also after a restart of Berth.
 */
import type { Image } from '../core/model.ts';

export interface BuildJob {
  /** Unique; a second `begin` with the same id while one runs does nothing. */
  readonly id: string;
  /** Absolute path of the materialised folder. */
  readonly folder: string;
  /** Relative to `folder`. */
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Longest time the build may take, in ms. */
  readonly timeoutMs: number;
}

/** `failed` has a code of the catalogue: BUILD_FAILED, BUILD_TIMEOUT, IMAGE_NOT_FOUND, DISK_FULL or DOCKERFILE_INVALID. */
export type BuildOutcome =
  | { readonly kind: 'built'; readonly image: Image }
  | {
      readonly kind: 'failed';
      readonly code:
        | 'BUILD_FAILED'
        | 'BUILD_TIMEOUT'
        | 'IMAGE_NOT_FOUND'
        | 'DISK_FULL'
        | 'DOCKERFILE_INVALID';
      readonly detail: string;
    }
  /** Nothing is known of this job, or its process vanished: begin it again. */
  | { readonly kind: 'lost' };

export interface Builder {
  /** Starts the build unless one with this id runs or has ended already. */
  begin(job: BuildJob): Promise<void>;
  /** Output line by line from the first line on, then the outcome. Aborting stops the following, not the build. */
  follow(id: string, onLine: (line: string) => void, signal: AbortSignal): Promise<BuildOutcome>;
  /** Ends the build if it runs and removes its traces, the image excepted. */
  discard(id: string): Promise<void>;
}
