/** How amounts are written in sentences, the same everywhere. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Decimal units, as image sizes are usually told: 12345 → `12 kB`, 1.5e9 → `1.5 GB`. */
export function bytesInWords(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

const SPANS: readonly (readonly [ms: number, noun: string])[] = [
  [24 * 60 * 60 * 1000, 'day'],
  [60 * 60 * 1000, 'hour'],
  [60 * 1000, 'minute'],
  [1000, 'second'],
];

/** Whole numbers of the largest unit that fits, rounded down: `9 days`, `1 hour`, `0 seconds`. */
export function spanInWords(ms: number): string {
  const [unitMs, noun] = SPANS.find(([least]) => ms >= least) ?? ([1000, 'second'] as const);
  const number = Math.max(0, Math.floor(ms / unitMs));
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
