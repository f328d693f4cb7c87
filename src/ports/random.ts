/** All of chance: ids and jitter come from here, so that a seed can replay a world. */
export interface Random {
  /** `length` characters of `0-9a-z` without look-alikes, good enough to be unguessable at 20. */
  id(length: number): string;
  /** 0 ≤ x < 1. */
  fraction(): number;
}
