/** When an instance that runs but does not answer well on its health path is given up. */

/** Between two looks at an instance that runs, in ms. */
export const HEALTH_EVERY_MS = 10_000;
/** How long an answer may take, in ms. */
export const HEALTH_ANSWER_MS = 5_000;
/** Bad answers in a row after which an instance is given up: one may be bad luck, or a long pause of its own. */
const PATIENCE = 3;

/** 2xx and 3xx are well; undefined is no answer. */
export function isWell(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 400;
}

export interface Health {
  /** Bad answers in a row. */
  readonly failures: number;
  readonly isGivenUp: boolean;
}

/** What one more answer means after so many bad ones in a row. */
export function judge(failures: number, status: number | undefined): Health {
  const next = isWell(status) ? 0 : failures + 1;
  return { failures: next, isGivenUp: next >= PATIENCE };
}
