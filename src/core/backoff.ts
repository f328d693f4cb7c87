/** How long a deployment that keeps failing waits before it is started again. */

const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;

/**
 * 1 s after the first failure, doubled after each further one, 5 min at most: the shape of the Kubernetes
 * crash-loop back-off (10 s … 5 min) with an earlier first try, because a request may be waiting.
 */
export function backoffMs(failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
}

/** An instance that ends sooner than this after it became ready counts as a crash of the app's own start, in ms. */
export const STABLE_AFTER_MS = 10_000;
