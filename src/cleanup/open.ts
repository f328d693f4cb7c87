/** Clean-up put together: by the hour, by hand, and when a build finds no room. */
import { shortage, type DiskState, type Shortage } from '../core/disk.ts';
import { BerthError } from '../core/errors.ts';
import { SAMPLES_KEPT_MS } from '../core/forecast.ts';
import { pressing, type CleanupRules } from '../core/gc.ts';
import type { DeploymentId, DiskSample } from '../core/model.ts';
import { bytesInWords } from '../core/words.ts';
import { openLastRequests } from './last-requests.ts';
import type { CleanupNeeds } from './needs.ts';
import { openReserve } from './reserve.ts';
import { clear, type GcLine, plan, removeDeployments } from './run.ts';
import { budgetOf, bytesOf, type DiskUsage, measureUsage } from './usage.ts';

/** What a run did. */
export interface GcReport {
  readonly lines: readonly GcLine[];
  /** What the things that went took. */
  readonly freedBytes: number;
  /** How much more the file systems say is free: others write meanwhile as well. */
  readonly diskFreedBytes: number;
}

export interface RoomQuestion {
  readonly wantedBytes: number;
  /** The one who asks keeps all other builds from running. */
  readonly isAlone?: boolean;
}

export interface Cleanup {
  /** For every request; costs a look into a map. */
  noteRequest(id: DeploymentId): void;
  /** What would go now, and what stays, each with its reason. */
  plan(): Promise<readonly GcLine[]>;
  run(): Promise<GcReport>;
  /** Only what no deployment needs any more: after one was removed. */
  clear(): Promise<void>;
  usage(): Promise<DiskUsage>;
  /** Throws DISK_FULL or DISK_BUDGET when a build must not begin, after a clean-up of its own did not help. */
  room(question: RoomQuestion): Promise<void>;
  /** Runs by the hour until it is closed. */
  start(): void;
  /** Writes what is not yet written. */
  close(): Promise<void>;
}

const EVERY_MS = 60 * 60 * 1000;
/** Measuring takes some ten ms and more: not for every file of an upload. */
const FRESH_MS = 10_000;
/** Far from the budget what was measured so long ago is good enough for a file of an upload, or a build. */
const STALE_MS = 60_000;
/** Of the budget: what may have been written since. */
const GROWTH_SHARE = 0.1;
/** Since the last sample before a start, which may be an hour and several images old. */
const GROWTH_BEFORE_BYTES = 4e9;
/** Shown in a refusal. */
const BIGGEST = 3;

export async function openCleanup(needs: CleanupNeeds): Promise<Cleanup> {
  const { store, clock, reporter, rules } = needs;
  const lastRequests = await openLastRequests(needs);
  const reserve = openReserve(needs.reserveFile);
  const closing = new AbortController();
  let queue: Promise<unknown> = Promise.resolve();
  let loops: readonly Promise<void>[] = [];
  let known: DiskUsage | undefined;
  /** The last sample before this start, until the first of this one: nobody's first upload waits for a look at every image. */
  let before = await lastSample(needs);
  let pressedAt = Number.NEGATIVE_INFINITY;
  let measuring: Promise<DiskUsage> | undefined;
  let waiting: Promise<void> | undefined;

  /** One after the other: two runs would only get in each other's way. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  }

  async function measure(): Promise<DiskUsage> {
    measuring ??= measureUsage(needs).finally(() => {
      measuring = undefined;
    });
    known = await measuring;
    before = undefined;
    return known;
  }

  async function usedLately(): Promise<DiskUsage> {
    return known && clock.now() - known.at < FRESH_MS ? known : measure();
  }

  /** The free space as it is now, our own use as it was a moment ago. */
  async function state(): Promise<DiskState> {
    const { usedBytes, budgetBytes } = await usedLately();
    return { fileSystems: await needs.fileSystems(), usedBytes, budgetBytes };
  }

  /** Whether there is room however much was written lately: then nobody waits for a measurement. */
  async function isAmple(wantedBytes: number): Promise<boolean> {
    const lately = known ?? before;
    if (!lately) return false;
    const { at, usedBytes } = lately;
    const fileSystems = await needs.fileSystems();
    const budgetBytes = budgetOf(needs, fileSystems);
    const growth = Math.max(GROWTH_SHARE * budgetBytes, known ? 0 : GROWTH_BEFORE_BYTES);
    const roughly = usedBytes + growth;
    if (shortage({ fileSystems, usedBytes: roughly, budgetBytes }, wantedBytes)) return false;
    if (clock.now() - at > STALE_MS) void attempt('measure', measure);
    return true;
  }

  async function leastFree(): Promise<number> {
    return Math.min(...(await needs.fileSystems()).map((space) => space.freeBytes));
  }

  async function freeBytes(): Promise<number> {
    const spaces = await needs.fileSystems();
    return spaces.reduce((sum, space) => sum + space.freeBytes, 0);
  }

  async function run(by: CleanupRules, isAlone: boolean): Promise<GcReport> {
    const before = await freeBytes();
    await reserve.release(await leastFree());
    const lines = [
      ...(await removeDeployments(needs, by, lastRequests.all(), closing.signal)),
      ...(await clear(needs, by, lastRequests.all(), isAlone)),
    ];
    known = undefined;
    await reserve.restore(await leastFree());
    const gone = lines.filter(({ outcome }) => outcome === 'removed');
    const report: GcReport = {
      lines,
      freedBytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
      diskFreedBytes: Math.max(0, (await freeBytes()) - before),
    };
    if (lines.length > 0) {
      reporter.report('info', 'cleanup.ended', {
        removed: gone.length,
        left: lines.length - gone.length,
        freedBytes: report.freedBytes,
      });
    }
    return report;
  }

  /** Bytes that were freed; undefined when it could not be done, or was just done for the file before this one. */
  function press(isAlone: boolean): Promise<number | undefined> {
    return inTurn(async () => {
      if (!isAlone && clock.now() - pressedAt < FRESH_MS) return undefined;
      const { freedBytes } = await run(pressing(rules), isAlone);
      pressedAt = clock.now();
      return freedBytes;
    }).catch((error: unknown) => {
      reporter.report('warn', 'cleanup.failed', { what: 'pressing', error: String(error) });
      return undefined;
    });
  }

  async function refusal(found: Shortage, freed: number | undefined): Promise<BerthError> {
    const parts = [`${bytesInWords(found.missingBytes)} are missing. ${found.because}`];
    const lines = await plan(needs, rules, lastRequests.all());
    const wouldFree = lines.reduce((sum, { bytes }) => sum + bytes, 0);
    if (freed !== undefined) parts.push(`A clean-up freed ${bytesInWords(freed)} just now.`);
    parts.push(
      wouldFree > 0
        ? `\`berth gc\` would free ${bytesInWords(wouldFree)}.`
        : '`berth gc` would free nothing.',
    );
    const { projects } = await usedLately();
    const biggest = projects
      .filter((row) => bytesOf(row) > 0)
      .slice(0, BIGGEST)
      .map((row) => `${row.project ?? 'shared by several'} ${bytesInWords(bytesOf(row))}`);
    if (biggest.length > 0) parts.push(`The biggest: ${biggest.join(', ')}.`);
    return new BerthError(found.code, { detail: parts.join(' ') });
  }

  async function byTheHour(): Promise<void> {
    const { signal } = closing;
    // What nobody has asked for was perhaps only not served: while Berth was down nothing could be asked.
    await attempt('clear', () => inTurn(() => clear(needs, rules, lastRequests.all())));
    while (!signal.aborted) {
      await attempt('sample', async () => {
        await reserve.restore(await leastFree());
        const { at, usedBytes } = await measure();
        await store.noteDiskSample({ at, usedBytes }, at - SAMPLES_KEPT_MS);
      });
      await clock.sleep(EVERY_MS, signal);
      if (signal.aborted) return;
      await attempt('run', () => inTurn(() => run(rules, false)));
    }
  }

  /** A full disk or an engine that is away: the next hour tries again. */
  async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      reporter.report('warn', 'cleanup.failed', { what, error: String(error) });
    }
  }

  /** Who asks while one waits for its turn shares it: it looks at everything when it begins. */
  function clearSoon(): Promise<void> {
    waiting ??= inTurn(() => {
      waiting = undefined;
      return attempt('clear', () => clear(needs, rules, lastRequests.all()));
    });
    return waiting;
  }

  return {
    noteRequest: (id) => lastRequests.note(id),
    plan: () => plan(needs, rules, lastRequests.all()),
    run: () => inTurn(() => run(rules, false)),
    clear: clearSoon,
    usage: measure,

    async room({ wantedBytes, isAlone = false }) {
      if (await isAmple(wantedBytes)) return;
      if (!shortage(await state(), wantedBytes)) return;
      const freed = await press(isAlone);
      const found = shortage(await state(), wantedBytes);
      if (found) throw await refusal(found, freed);
    },

    start() {
      loops = [byTheHour(), lastRequests.keep(closing.signal)];
    },

    async close() {
      closing.abort();
      await Promise.all([...loops, queue]);
      if (loops.length === 0) await lastRequests.flush();
    },
  };
}

/** Undefined when there is something on the disk and nobody knows how much. */
async function lastSample({ store, clock }: CleanupNeeds): Promise<DiskSample | undefined> {
  const sample = (await store.diskSamples()).at(-1);
  if (sample) return sample;
  return (await store.ledger()).length === 0 ? { at: clock.now(), usedBytes: 0 } : undefined;
}
