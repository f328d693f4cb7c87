/** Follows the logs of one deployment: what is there, then every line as it is written, none lost, none twice. */
import type { InstanceId } from '../core/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogLine, LogQuery } from '../ports/logs.ts';
import { FollowedFile } from './followed.ts';
import { addLines, inOrder, instancesOf, wantedBy } from './read.ts';
import { newest } from './tail.ts';
import { FolderWatch, type WatchFolder } from './watch.ts';

/** After a look the next one waits so long, in ms: an app that writes without pause costs 50 looks a second at most. */
const PAUSE_MS = 20;

/** Whom to tell, and until when. */
export interface Following {
  readonly folder: string;
  readonly query: LogQuery;
  readonly onLine: (line: LogLine) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly watch: WatchFolder;
}

/** Resolves when the signal aborts. Instances that come later are followed from their first line. */
export async function followLogs(following: Following): Promise<void> {
  const { folder, signal, clock } = following;
  const watch = new FolderWatch(folder, clock, following.watch);
  const files = new Map<InstanceId, FollowedFile>();
  try {
    watch.begin();
    await begin(following, files);
    while (!signal.aborted) {
      const more = await lookAtAll(following, files);
      if (more) continue;
      await watch.changed(signal);
      await clock.sleep(PAUSE_MS, signal);
      // A folder that was removed and made again needs a new watch; while there is nothing, that is how we find out.
      if (files.size === 0) watch.end();
      watch.begin();
    }
  } finally {
    watch.end();
    for (const file of files.values()) await file.close();
  }
}

async function begin(following: Following, files: Map<InstanceId, FollowedFile>): Promise<void> {
  const { folder, query, clock } = following;
  const wanted = wantedBy(query);
  const lines: LogLine[] = [];
  for (const instanceId of await instancesOf(folder, query)) {
    const file = await FollowedFile.open(folder, instanceId, clock.now());
    if (!file) continue;
    files.set(instanceId, file);
    addLines(lines, instanceId, await file.tail(wanted));
  }
  tell(following, newest(inOrder(lines), wanted.tail));
}

/** One look at every file. True when there is more to read at once. */
async function lookAtAll(
  following: Following,
  files: Map<InstanceId, FollowedFile>,
): Promise<boolean> {
  const { folder, query, clock } = following;
  for (const instanceId of await instancesOf(folder, query)) {
    if (files.has(instanceId)) continue;
    const file = await FollowedFile.open(folder, instanceId, clock.now());
    if (file) files.set(instanceId, file);
  }
  const lines: LogLine[] = [];
  let isMore = false;
  for (const [instanceId, file] of files) {
    const look = await file.look(clock.now());
    addLines(lines, instanceId, look.lines);
    isMore ||= look.more;
    if (look.gone) {
      files.delete(instanceId);
      await file.close();
    }
  }
  tell(following, inOrder(lines));
  return isMore;
}

function tell({ query, onLine, signal }: Following, lines: readonly LogLine[]): void {
  for (const line of lines) {
    // Whoever is told may have had enough.
    if (signal.aborted) return;
    if (line.at >= (query.since ?? -Infinity)) onLine(line);
  }
}
