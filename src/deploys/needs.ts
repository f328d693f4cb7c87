/** What deploys need from the rest of Berth, handed in by the wiring. */
import type { Builder } from '../ports/builder.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Logs } from '../ports/logs.ts';
import type { Reporter } from '../ports/reporter.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { Store } from '../ports/store.ts';
import type { Blobs } from './blobs.ts';
import type { Directory } from './directory.ts';
import type { Folders } from './folders.ts';

export interface DeploysNeeds {
  readonly store: Store;
  readonly engine: Engine;
  readonly builder: Builder;
  readonly fleet: Fleet;
  readonly logs: Logs;
  readonly clock: Clock;
  /** The versions of secrets that a new deployment keeps. */
  readonly secrets: Pick<Secrets, 'pin'>;
  readonly blobs: Blobs;
  readonly folders: Folders;
  /** Throws DISK_FULL or DISK_BUDGET when there is no room; `isAlone`: whoever asks keeps all builds from running. */
  readonly room: (question: {
    readonly wantedBytes: number;
    readonly isAlone?: boolean;
  }) => Promise<void>;
  /** Removes what no deployment needs any more. */
  readonly clear: () => Promise<void>;
  /** Each build has a folder of its deployment's id in here. */
  readonly buildsFolder: string;
  readonly buildTimeoutMs: number;
  readonly buildsAtOnce: number;
  /** Throws DOCKERFILE_UNSUPPORTED or DOCKERFILE_INVALID for what this host's builder cannot read. Takes milliseconds. */
  readonly checkDockerfile: (text: string, path: string) => void;
  readonly reporter: Reporter;
  /** Hears every row as it is written, and every removal: the routes follow. */
  readonly directory: Pick<Directory, 'note' | 'forget'>;
}
