/** Reads the logs of one deployment: all its instances, in order of time. */
import { type FileHandle, open } from 'node:fs/promises';
import type { InstanceId } from '../core/model.ts';
import type { LogLine, LogQuery } from '../ports/logs.ts';
import type { FileLine } from './assemble.ts';
import { instanceFile, instancesIn, isMissing } from './files.ts';
import { newest, readTail, type Tail, type Wanted } from './tail.ts';

/** More lines than this are never read at once, whatever is asked for: the newest, some tens of MB in memory. */
const MAX_LINES = 100_000;

/** What a query says about each file. */
export function wantedBy(query: LogQuery): Wanted {
  const tail = Math.max(0, Math.floor(query.tail ?? MAX_LINES));
  return { tail: Math.min(tail, MAX_LINES), since: query.since ?? -Infinity };
}

/** The instances that a query is about. */
export async function instancesOf(folder: string, query: LogQuery): Promise<readonly InstanceId[]> {
  if (query.instanceId === undefined) return instancesIn(folder);
  instanceFile(folder, query.instanceId);
  return [query.instanceId];
}

/** At most 100,000 lines, the newest; none for what has no file. */
export async function readLogs(folder: string, query: LogQuery): Promise<readonly LogLine[]> {
  const wanted = wantedBy(query);
  let lines: LogLine[] = [];
  for (const instanceId of await instancesOf(folder, query)) {
    await using handle = await openLog(folder, instanceId);
    if (!handle) continue;
    const tail = await readTail(handle, wanted);
    addLines(lines, instanceId, withLastWords(tail, wanted));
    // Twenty instances with everything they wrote would be twenty times the bound.
    if (lines.length > 2 * wanted.tail) lines = newest(inOrder(lines), wanted.tail);
  }
  return newest(inOrder(lines), wanted.tail);
}

/** The file of an instance, opened; undefined when it has none. */
export async function openLog(
  folder: string,
  instanceId: InstanceId,
): Promise<FileHandle | undefined> {
  try {
    return await open(instanceFile(folder, instanceId), 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Adds the lines of a file as lines of its instance. */
export function addLines(to: LogLine[], instanceId: InstanceId, lines: readonly FileLine[]): void {
  for (const { at, stream, text } of lines) to.push({ instanceId, at, stream, text });
}

/** By time; lines of the same moment stay as they are. */
export function inOrder(lines: LogLine[]): LogLine[] {
  return lines.sort((a, b) => a.at - b.at);
}

/** An app that ended without a line end, or asks for something, has said that too. */
function withLastWords({ lines, assembler }: Tail, { since }: Wanted): readonly FileLine[] {
  return [...lines, ...assembler.flush().filter(({ at }) => at >= since)];
}
