/** The thread that works on whole uploads: a hundred thousand files are listed, checked and copied here, not where requests wait. */
import { parentPort, workerData } from 'node:worker_threads';
import { BerthError } from '../core/errors.ts';
import type { ErrorCode, Problem } from '../core/errors.ts';
import { folderWork } from './folder-work.ts';
import type { FolderWork } from './folder-work.ts';

/** A call of one of the verbs of `FolderWork`. */
export interface Order {
  readonly id: number;
  readonly verb: keyof FolderWork;
  readonly arguments: readonly unknown[];
}

/** Errors of the catalogue cross the threads by their code; others by their text. */
export type Delivery =
  | { readonly id: number; readonly kind: 'done'; readonly result: unknown }
  | {
      readonly id: number;
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly detail: string;
      readonly problems: readonly Problem[];
      readonly cause?: string;
    };

export interface WorkerData {
  readonly blobs: string;
}

const work = folderWork((workerData as WorkerData).blobs);

parentPort?.on('message', ({ id, verb, arguments: given }: Order) => {
  let delivery: Delivery;
  try {
    const act = work[verb] as (...given: readonly unknown[]) => unknown;
    delivery = { id, kind: 'done', result: act(...given) };
  } catch (error) {
    delivery = { id, kind: 'failed', ...told(error) };
  }
  parentPort?.postMessage(delivery);
});

function told(error: unknown) {
  if (error instanceof BerthError) {
    return { code: error.code, detail: error.detail, problems: error.problems };
  }
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: 'INTERNAL' as const,
    detail: 'The work on an upload failed.',
    problems: [],
    cause,
  };
}
