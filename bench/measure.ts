/** What a measure is, and how its result is shown. */

export interface Result {
  /** For example `P1`. */
  readonly name: string;
  readonly what: string;
  readonly value: number;
  readonly unit: 'ratio' | 'ms' | 'count';
  readonly bar: number;
  readonly holds: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Measure {
  readonly name: string;
  readonly title: string;
  /** May give several results, one for each bar of the measure. */
  run(say: (line: string) => void): Promise<readonly Result[]>;
}

/** A result whose bar is an upper one. */
export function atMost(bar: number, result: Omit<Result, 'bar' | 'holds'>): Result {
  return { ...result, bar, holds: result.value <= bar };
}

/** A result whose bar is a lower one. */
export function atLeast(bar: number, result: Omit<Result, 'bar' | 'holds'>): Result {
  return { ...result, bar, holds: result.value >= bar };
}

export function describe({ name, what, value, unit, bar, holds }: Result): string {
  const digits = unit === 'count' ? 0 : 3;
  const shown = `${value.toFixed(digits)}${unit === 'ratio' ? '×' : unit === 'ms' ? ' ms' : ''}`;
  return `${holds ? '✓' : '✗'} ${name}  ${shown}  (bar ${bar})  ${what}`;
}
