/**
 * The k8s-file form in which engines write what an instance says, one record a line:
 * `2026-11-21T09:00:08.349701443+00:00 stdout F text`, with `P` instead of `F` when the line goes on in the next
 * record of the same stream (the reader of the pipe was faster than the app, or the line is longer than its buffer).
 */
import type { LogLine } from '../ports/logs.ts';

const SPACE = 0x20;

/** One record, its text still in bytes: a character may be split between two records. */
export interface LogRecord {
  /** ms since the epoch, with fractions. */
  readonly at: number;
  readonly stream: LogLine['stream'];
  /** The line goes on in the next record of this stream. */
  readonly partial: boolean;
  readonly text: Buffer;
}

/** One record without its line end; undefined when it is not of that form. */
export function parseRecord(record: Buffer): LogRecord | undefined {
  const timeEnd = record.indexOf(SPACE);
  const streamEnd = record.indexOf(SPACE, timeEnd + 1);
  if (timeEnd < 0 || streamEnd < 0) return undefined;
  const at = parseTime(record.toString('latin1', 0, timeEnd));
  const stream = record.toString('latin1', timeEnd + 1, streamEnd);
  // Tags may follow the first letter after a colon (`F:tag1`); the text begins behind the next space, if there is any.
  const tagEnd = record.indexOf(SPACE, streamEnd + 1);
  const tag = record.toString('latin1', streamEnd + 1, streamEnd + 2);
  if (at === undefined || (stream !== 'stdout' && stream !== 'stderr')) return undefined;
  if (tag !== 'F' && tag !== 'P') return undefined;
  const text = tagEnd < 0 ? record.subarray(record.length) : record.subarray(tagEnd + 1);
  return { at, stream, partial: tag === 'P', text };
}

/** Whole records, one for each line of `text`, each with its line end. `at` in ms since the epoch. */
export function formatLogLine(at: number, stream: LogLine['stream'], text: string): string {
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text;
  const head = `${formatTime(at)} ${stream} F `;
  return lines
    .split('\n')
    .map((line) => `${head}${line}\n`)
    .join('');
}

function parseTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, seconds = '', fraction = '', zone = ''] = match;
  const whole = Date.parse(`${seconds}${zone}`);
  // JavaScript's own parser stops at the millisecond; the rest orders lines of several instances.
  return Number.isNaN(whole) ? undefined : whole + Number(`0${fraction}`) * 1_000;
}

function formatTime(at: number): string {
  const wholeMs = Math.floor(at);
  const nanoseconds = Math.min(999_999, Math.round((at - wholeMs) * 1e6));
  const iso = new Date(wholeMs).toISOString().slice(0, -1);
  return `${iso}${String(nanoseconds).padStart(6, '0')}+00:00`;
}
