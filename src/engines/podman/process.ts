/** Reads from procfs whether a process is still the one we mean. */
import { readFileSync } from 'node:fs';

export interface ProcessStat {
  /** `R`, `S`, `D`, … `Z` and `X` are dead. */
  readonly state: string;
  /** Clock ticks since boot at which it started: with the pid, this names a process for ever. */
  readonly startTicks: number;
}

/** Text of `/proc/PID/stat` → its state and start; the command in the middle may hold anything, also `)`. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = Number(fields[19]);
  return state && Number.isFinite(startTicks) ? { state, startTicks } : undefined;
}

/** Undefined when there is no such process. About 10 µs. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Whether the process that started then still lives under this pid. */
export function isAlive(pid: number, startTicks: number): boolean {
  const stat = readStat(pid);
  return (
    stat !== undefined && stat.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X'
  );
}

/**
 * Text of `/proc/PID/status` → whether a signal would do anything to the first process of a container. The kernel drops what
 * such a process neither catches nor blocks (to wait for it): it has no default actions.
 */
export function minds(status: string, signal: number): boolean {
  const bit = 1n << BigInt(signal - 1);
  return ['SigCgt', 'SigBlk'].some((name) => {
    const mask = new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & bit) !== 0n;
  });
}

/** `minds` of a live process; true when it cannot be told. */
export function mindsSignal(pid: number, signal: number): boolean {
  try {
    return minds(readFileSync(`/proc/${pid}/status`, 'latin1'), signal);
  } catch {
    return true;
  }
}
