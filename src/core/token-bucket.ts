/** How often something may be done: a bucket of turns that fills with time. */

export interface Rate {
  /** Turns that may be taken at once. */
  readonly burst: number;
  /** Time after which one more turn is there, in ms. */
  readonly everyMs: number;
}

export interface Bucket {
  /** Turns that were left at `at`; fractions are on their way. */
  readonly turns: number;
  /** ms since the epoch. */
  readonly at: number;
}

export type Turn =
  | { readonly kind: 'taken'; readonly bucket: Bucket }
  | { readonly kind: 'refused'; readonly bucket: Bucket; readonly retryAfterMs: number };

/** Takes one turn out of `bucket` (absent: a full one), or says when the next one is there. */
export function takeTurn(bucket: Bucket | undefined, rate: Rate, now: number): Turn {
  const turns = turnsAt(bucket, rate, now);
  if (turns >= 1) return { kind: 'taken', bucket: { turns: turns - 1, at: now } };
  const retryAfterMs = Math.ceil((1 - turns) * rate.everyMs);
  return { kind: 'refused', bucket: { turns, at: now }, retryAfterMs };
}

/** Turns there are now. A clock that went back takes none away. */
function turnsAt(bucket: Bucket | undefined, { burst, everyMs }: Rate, now: number): number {
  if (!bucket) return burst;
  return Math.min(burst, bucket.turns + Math.max(0, now - bucket.at) / everyMs);
}
