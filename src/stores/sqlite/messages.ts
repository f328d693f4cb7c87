/** What the SQLite worker and the thread that asks it say to each other. */

/** What SQLite can hold in our columns. */
export type Value = string | number | null;

/** What the worker is started with. */
export interface WorkerData {
  /** Path of the data file. */
  readonly file: string;
}

export type Request =
  | {
      readonly kind: 'query';
      readonly id: number;
      readonly sql: string;
      readonly parameters: readonly Value[];
    }
  /** Answered by the end of the thread, after everything asked before. */
  | { readonly kind: 'close' };

/** `code` is SQLite's own, for example `SQLITE_FULL`; absent when it is not SQLite that failed. */
export interface Failure {
  readonly code?: string;
  readonly message: string;
}

export interface Answer {
  readonly rows: readonly unknown[];
  /** Rows written; 0 for a read. */
  readonly changes: number;
}

export type Reply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'notOpened'; readonly failure: Failure }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure };
