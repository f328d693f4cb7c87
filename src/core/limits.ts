/** Defaults and bounds of everything a person may set: one table for schema, documents and checks. */
import type { Limits, Scale, Slot } from './model.ts';

/** Bounds as in the 2018 "Serverless Docker" text, widened where noted in docs/decisions. */
export const BOUNDS = {
  maxConcurrentReqs: { min: 1, max: 256 },
  durationMs: { min: 1_000, max: 1_800_000 },
  timeoutMs: { min: 1_000, max: 1_800_000 },
  scale: { min: 0, max: 1_000 },
  slotCpus: { min: 0.125 },
  slotMemoryMiB: { min: 64 },
  uploadFiles: 100_000,
  uploadFileBytes: 512 * 1024 * 1024,
  uploadBytes: 2 * 1024 * 1024 * 1024,
  pathBytes: 1_024,
  envNames: 500,
  envValueBytes: 64 * 1024,
  projectNameChars: 50,
} as const;

export const DEFAULT_SLOT: Slot = { cpus: 0.125, memoryMiB: 512 };
export const DEFAULT_LIMITS: Limits = {
  maxConcurrentReqs: 10,
  durationMs: 300_000,
  timeoutMs: 60_000,
};
export const DEFAULT_SCALE: Scale = { min: 0, max: 10 };

/** `PORT` when neither the configuration nor the app says otherwise. */
export const DEFAULT_PORT = 8080;

/** An image above this is shown with its biggest layers, in bytes. */
export const LARGE_IMAGE_BYTES = 100 * 1024 * 1024;

/** `c.125-m512` → `{ cpus: 0.125, memoryMiB: 512 }`; undefined when it is not of that form. */
export function parseSlot(text: string): Slot | undefined {
  const match = /^c(\d*\.?\d+)-m(\d+)$/.exec(text);
  if (!match) return undefined;
  const cpus = Number(match[1]);
  const memoryMiB = Number(match[2]);
  return Number.isFinite(cpus) && cpus > 0 && memoryMiB > 0 ? { cpus, memoryMiB } : undefined;
}

/** `{ cpus: 0.125, memoryMiB: 512 }` → `c.125-m512`. */
export function formatSlot(slot: Slot): string {
  return `c${String(slot.cpus).replace(/^0\./, '.')}-m${slot.memoryMiB}`;
}

/** The short list shown by `berth slots`; any other value within the host's bounds is accepted too. */
export const SLOTS: readonly { readonly name: string; readonly for: string }[] = [
  { name: 'c.125-m512', for: 'the default: most HTTP services' },
  { name: 'c.25-m1024', for: 'server-side rendering, small data work' },
  { name: 'c.5-m1024', for: 'busy APIs' },
  { name: 'c1-m2048', for: 'image work, browsers, compilers' },
];
