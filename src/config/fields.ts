/** The building blocks of berth.json. Each message is the end of "it must be …", so that errors say what is allowed. */
import { z } from 'zod';
import { BOUNDS, parseSlot } from '../core/limits.ts';
import { pathProblem } from '../core/manifest.ts';

/** All variables together, so that the kernel can hand them to a process (it gives up at 2 MiB with arguments). */
const ENV_BYTES = 1024 * 1024;

/** A whole number between two bounds, both allowed. */
export function whole(min: number, max: number, unit = '') {
  const error = `a whole number from ${min} to ${max}${unit === '' ? '' : ` (${unit})`}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, { error: values.map((value) => JSON.stringify(value)).join(' or ') });
}

/** Text of one line or more, without NUL. */
export function text(what: string, max: number) {
  const error = `${what} (text in quotes, 1 to ${max} characters)`;
  return z
    .string({ error })
    .min(1, { error })
    .max(max, { error })
    .refine((value) => !value.includes('\0'), { error: `${what}, without a NUL character` });
}

/** A path inside the folder. A leading `./` and a trailing `/` are forgiven. */
export function insidePath(what: string) {
  const error = `${what}: a path inside the folder, relative, without ".."`;
  return z
    .string({ error })
    .min(1, { error })
    .refine((value) => value === '.' || pathProblem(normalisePath(value)) === undefined, { error });
}

/** `./a/b/` → `a/b`; the folder itself is `.`. */
export function normalisePath(path: string): string {
  return path.replace(/^(?:\.\/+)+/, '').replace(/(?<=[^/])\/+$/, '') || '.';
}

/** What a slot looks like; its bounds are checked besides. */
export const SLOT_PATTERN = '^c(\\d*\\.?\\d+)-m(\\d+)$';
const slotError = `a slot such as "c.125-m512": at least c${BOUNDS.slotCpus.min} (CPU cores) and m${BOUNDS.slotMemoryMiB.min} (MiB of memory)`;
/** `c<cpus>-m<MiB>`; the upper bounds are the host's (`checkSlot`). */
export function slot() {
  return z
    .string({ error: slotError })
    .regex(new RegExp(SLOT_PATTERN), { error: slotError })
    .refine(
      (value) => {
        const parsed = parseSlot(value);
        return (
          parsed === undefined ||
          (parsed.cpus >= BOUNDS.slotCpus.min &&
            parsed.cpus <= 4096 &&
            parsed.memoryMiB >= BOUNDS.slotMemoryMiB.min &&
            Number.isSafeInteger(parsed.memoryMiB))
        );
      },
      { error: slotError },
    );
}

const max = z.union(
  [whole(BOUNDS.scale.min, BOUNDS.scale.max), z.literal('auto', { error: '"auto"' })],
  {
    error: `a whole number from ${BOUNDS.scale.min} to ${BOUNDS.scale.max}, or "auto"`,
  },
);
const min = whole(BOUNDS.scale.min, BOUNDS.scale.max);

const rising = { error: 'at most the "max" beside it', path: ['min'] };
const scaleError = '{ "min": …, "max": … }, or one such object for each region';
const isRising = (value: { min?: number | undefined; max?: number | 'auto' | undefined }) =>
  value.min === undefined || typeof value.max !== 'number' || value.min <= value.max;

/** The 2018 form: `{ "sfo1": { min, max } }`. */
export function scaleByRegion() {
  const region = z
    .strictObject({ min, max }, { error: '{ "min": …, "max": … }' })
    .refine(isRising, rising);
  return z.record(z.string().min(1), region, { error: scaleError });
}

/** `{ min, max }`, or the 2018 form. */
export function scale() {
  const plain = z
    .strictObject({ min: min.optional(), max: max.optional() }, { error: scaleError })
    .refine(isRising, rising);
  return z.union([plain, scaleByRegion()], { error: scaleError });
}

const nameError = 'a variable name: 1 to 256 characters, no "=", no spaces or control characters';
function envName() {
  return z
    .string({ error: nameError })
    .min(1, { error: nameError })
    .max(256, { error: nameError })
    .regex(/^[^\s=\u0000-\u001f\u007f]+$/, { error: nameError });
}

const valueError = `text in quotes, at most ${BOUNDS.envValueBytes} bytes`;
function envValue() {
  return z
    .string({ error: valueError })
    .refine((value) => Buffer.byteLength(value) <= BOUNDS.envValueBytes, { error: valueError })
    .refine((value) => !value.includes('\0'), { error: 'text without a NUL character' });
}

const envError = 'an object of names and values, or an array of names';
const envCount = `at most ${BOUNDS.envNames} variables`;

/** Names with values. */
export function envValues() {
  return z
    .record(envName(), envValue(), { error: envError })
    .refine((value) => Object.keys(value).length <= BOUNDS.envNames, { error: envCount })
    .refine(
      (value) =>
        Object.entries(value).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('=')), 0) <=
        ENV_BYTES,
      { error: `at most ${ENV_BYTES} bytes in all its variables together` },
    );
}

/** Names with values, or only names, whose values are given on the command line. */
export function env() {
  const names = z.array(envName(), { error: envError }).max(BOUNDS.envNames, { error: envCount });
  return z.union([envValues(), names], { error: envError });
}
