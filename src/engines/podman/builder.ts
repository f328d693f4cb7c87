/** Builds images with `podman build`, in a process that goes on when Berth stops and is found again by its files. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { access, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../core/errors.ts';
import type { Image } from '../../core/model.ts';
import type { Builder, BuildJob, BuildOutcome } from '../../ports/builder.ts';
import type { Clock } from '../../ports/clock.ts';
import { classifyFailure, wasOvertaken } from './build-outcome.ts';
import { layersOf } from './build-layers.ts';
import {
  BUILD_FILE,
  BUILD_SCRIPT,
  type BuildPlace,
  type BuildLimits,
  buildInvocation,
  BUILDS_CGROUP,
} from './build-script.ts';
import { endBuild, lowerPriority, sweepBuild } from './build-sweep.ts';
import { type PodmanOptions, preparePodman } from './command.ts';
import { LABEL } from './names.ts';
import { isAlive, parseStat } from './process.ts';

export interface PodmanBuilderOptions extends PodmanOptions {
  readonly clock: Clock;
  readonly limits: BuildLimits;
  /** The engine's `image`, for what was built. */
  readonly image: (reference: string) => Promise<Image>;
  /** The engine's own images, and who is told which of them a build made or used. Absent: nobody wants to know. */
  readonly layers?: {
    readonly ownImages: (starts: readonly string[]) => Promise<readonly string[]>;
    readonly record: (buildId: string, imageId: string) => Promise<void>;
  };
}

type BuildState =
  | { readonly kind: 'none' | 'lost' | 'ended' }
  | { readonly kind: 'running'; readonly pid: number; readonly startTicks: number };

/** How often the output of a build is looked for, and its end when it was begun by a Berth before this one. */
const LOOK_MS = 25;
const BEGIN_TIMEOUT_MS = 10_000;
const CHUNK_BYTES = 64 * 1024;
/** Lines in which the reason of a failure is looked for. */
const KEPT_LINES = 200;

/** Throws HOST_UNSUPPORTED when Podman is not installed. */
export function createPodmanBuilder(options: PodmanBuilderOptions): Builder {
  const { clock } = options;
  const command = preparePodman(options);
  const beginning = new Map<string, Promise<void>>();
  const sweeping = new Map<string, Promise<void>>();
  const recording = new Map<string, Promise<void>>();
  const reading = new Map<string, Promise<BuildOutcome>>();
  /** Aborts when the shell of a build that was begun here has ended, so that nobody looks for that. */
  const endings = new Map<string, AbortSignal>();
  /** How often each build was begun here: who followed an earlier one must not sweep a later one away. */
  const begun = new Map<string, number>();

  const place = (id: string): BuildPlace => {
    if (!/^[a-z0-9][a-z0-9._-]*$/i.test(id)) {
      throw new BerthError('INVALID_INPUT', { detail: `${id} cannot name a build.` });
    }
    const home = join(options.dataFolder, 'builds', id, 'podman');
    return { id, home, cgroup: `${BUILDS_CGROUP}/${id}` };
  };

  const begin = async (job: BuildJob): Promise<void> => {
    const build = place(job.id);
    const state = await readState(build);
    if (state.kind === 'running' || state.kind === 'ended') return;
    begun.set(job.id, (begun.get(job.id) ?? 0) + 1);
    await sweeping.get(job.id);
    if (state.kind === 'lost') await sweepBuild(build, command, clock);
    await mkdir(join(build.home, BUILD_FILE.scratch), { recursive: true, mode: 0o700 });
    await lowerPriority(BUILDS_CGROUP);
    const invocation = buildInvocation({
      command,
      limits: options.limits,
      labels: { [LABEL.ledger]: options.ledgerId },
      home: build.home,
      cgroup: build.cgroup,
      context: job.folder,
      dockerfile: join(job.folder, job.dockerfile),
      buildArgs: job.buildArgs,
    });
    const errors = openSync(join(build.home, 'shell.log'), 'w', 0o600);
    const child = spawn(
      'sh',
      [
        '-c',
        BUILD_SCRIPT,
        'berth-build',
        build.home,
        String(job.timeoutMs / 1000),
        build.cgroup,
        ...invocation.arguments,
      ],
      {
        cwd: '/',
        env: invocation.environment,
        detached: true,
        stdio: ['ignore', errors, errors],
      },
    );
    closeSync(errors);
    child.unref();
    let failure: string | undefined;
    child.on('error', (error) => {
      failure = error.message;
    });
    const ended = new AbortController();
    endings.set(job.id, ended.signal);
    child.on('exit', (status) => {
      failure ??= `its shell ended with status ${status}`;
      if (endings.get(job.id) === ended.signal) endings.delete(job.id);
      ended.abort();
    });
    const until = clock.now() + BEGIN_TIMEOUT_MS;
    while (!(await exists(join(build.home, BUILD_FILE.process)))) {
      if (failure !== undefined || clock.now() > until) {
        // Most often there is no room even for its process id: then this fails with the better words.
        await writeFile(join(build.home, BUILD_FILE.output), `${failure}\n`);
        throw new Error(failure ?? 'its shell does not answer');
      }
      await clock.sleep(1);
    }
  };

  /** For followers, of whom there may be several: once for all of them, and not when it was begun again meanwhile. */
  const sweepOnce = (build: BuildPlace, generation: number | undefined, keepsFiles: boolean) => {
    if (begun.get(build.id) !== generation) return Promise.resolve();
    let sweepingNow = sweeping.get(build.id);
    if (!sweepingNow) {
      sweepingNow = sweepBuild(build, command, clock, { keepsFiles }).finally(() =>
        sweeping.delete(build.id),
      );
      sweeping.set(build.id, sweepingNow);
    }
    return sweepingNow;
  };

  const record = async (build: BuildPlace): Promise<void> => {
    const { layers } = options;
    if (!layers) return;
    const ids = await layersOf(build, layers.ownImages);
    await Promise.all(ids.map((id) => layers.record(build.id, id)));
  };

  /** Before its files go: they say which layers it left. What cannot be written down is never removed. Once for all followers. */
  const recordLayers = (build: BuildPlace): Promise<void> => {
    let recordingNow = recording.get(build.id);
    if (!recordingNow) {
      recordingNow = record(build).finally(() => recording.delete(build.id));
      recording.set(build.id, recordingNow);
    }
    return recordingNow;
  };

  /** Once for all followers: the service is slow to answer while it reads what the build has changed. */
  const outcomeOf = (
    build: BuildPlace,
    generation: number | undefined,
    lines: readonly string[],
  ): Promise<BuildOutcome> => {
    const key = `${build.id} ${generation ?? 0}`;
    let readingNow = reading.get(key);
    if (!readingNow) {
      readingNow = readOutcome(build, lines, options.image).finally(() => reading.delete(key));
      reading.set(key, readingNow);
    }
    return readingNow;
  };

  return {
    begin(job) {
      let beginningNow = beginning.get(job.id);
      if (!beginningNow) {
        beginningNow = begin(job)
          .catch((error: unknown) => {
            throw toBerthError(error);
          })
          .finally(() => beginning.delete(job.id));
        beginning.set(job.id, beginningNow);
      }
      return beginningNow;
    },

    async follow(id, onLine, signal) {
      const build = place(id);
      const generation = begun.get(id);
      let ended = endings.get(id);
      const lines: string[] = [];
      await using output = await openOutput(build, (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
        onLine(line);
      });
      while (!signal.aborted) {
        // Asked before the output is read: what is written when the status is there is all.
        const state = await readState(build);
        if (state.kind === 'none') return { kind: 'lost' };
        await output.read(signal);
        if (signal.aborted) break;
        if (state.kind === 'running') {
          await clock.sleep(LOOK_MS, ended ? AbortSignal.any([signal, ended]) : signal);
          // What has no status by now was killed: looked for as one of an earlier Berth is.
          if (ended?.aborted) ended = undefined;
          continue;
        }
        await output.end();
        if (state.kind === 'lost') {
          await sweepOnce(build, generation, false);
          return { kind: 'lost' };
        }
        const [outcome] = await Promise.all([
          outcomeOf(build, generation, lines),
          recordLayers(build).catch(ignoreUnwritten),
        ]);
        // A build that ends by itself leaves nothing; a killed one does.
        const wasKilled =
          outcome.kind === 'failed' &&
          // Without room Podman cannot clean up after itself either.
          (outcome.code === 'BUILD_TIMEOUT' || outcome.code === 'DISK_FULL');
        if (wasKilled) await sweepOnce(build, generation, true);
        if (outcome.kind === 'lost') await sweepOnce(build, generation, false);
        return outcome;
      }
      // The caller looks at its signal; there is nothing to say about the build.
      return { kind: 'lost' };
    },

    async discard(id) {
      const build = place(id);
      await beginning.get(id)?.catch(() => undefined);
      const state = await readState(build);
      if (state.kind === 'none') return;
      if (state.kind === 'running') await endBuild(build, state, clock);
      // Of one that ended by itself they are known.
      if (state.kind !== 'ended') await recordLayers(build).catch(ignoreUnwritten);
      // What ended well has left nothing but files.
      await sweepBuild(build, command, clock);
    },
  };
}

async function readState(build: BuildPlace): Promise<BuildState> {
  if (await exists(join(build.home, BUILD_FILE.status))) return { kind: 'ended' };
  const text = await readFile(join(build.home, BUILD_FILE.process), 'latin1').catch(
    () => undefined,
  );
  if (text === undefined) return { kind: (await exists(build.home)) ? 'lost' : 'none' };
  const pid = Number.parseInt(text, 10);
  const stat = parseStat(text);
  if (stat && isAlive(pid, stat.startTicks)) {
    return { kind: 'running', pid, startTicks: stat.startTicks };
  }
  // It may have ended between the two looks.
  return { kind: (await exists(join(build.home, BUILD_FILE.status))) ? 'ended' : 'lost' };
}

async function readOutcome(
  build: BuildPlace,
  lines: readonly string[],
  image: PodmanBuilderOptions['image'],
): Promise<BuildOutcome> {
  const text = await readFile(join(build.home, BUILD_FILE.status), 'latin1');
  if (text === '') {
    return {
      kind: 'failed',
      code: 'DISK_FULL',
      detail: 'There was no room to write how the build ended.',
    };
  }
  const status = Number(text);
  const imageId = await readFile(join(build.home, BUILD_FILE.imageId), 'latin1').catch(() => '');
  if (status !== 0 || imageId === '') {
    const hasTimedOut = await exists(join(build.home, BUILD_FILE.timedOut));
    if (!hasTimedOut && wasOvertaken(lines)) return { kind: 'lost' };
    return classifyFailure({ status, hasTimedOut, lines });
  }
  try {
    return { kind: 'built', image: await image(imageId.trim()) };
  } catch (error) {
    // Somebody removed the image since: it has to be built again.
    if (error instanceof BerthError && error.code === 'IMAGE_NOT_FOUND') return { kind: 'lost' };
    throw error;
  }
}

interface Output extends AsyncDisposable {
  /** Tells the whole lines that were written since. */
  read(signal: AbortSignal): Promise<void>;
  /** Tells what stands after the last line end. */
  end(): Promise<void>;
}

async function openOutput(build: BuildPlace, onLine: (line: string) => void): Promise<Output> {
  const path = join(build.home, BUILD_FILE.output);
  let file = await open(path).catch(() => undefined);
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let rest = '';
  return {
    async read(signal) {
      file ??= await open(path).catch(() => undefined);
      while (file && !signal.aborted) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) return;
        const lines = (
          rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })
        ).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onLine(line.replace(/\r$/, ''));
      }
    },
    end() {
      if (rest !== '') onLine(rest);
      rest = '';
      return Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      await file?.close();
    },
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function toBerthError(error: unknown): unknown {
  if (error instanceof BerthError) return error;
  const { code, message } = error as { code?: unknown; message?: string };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BerthError('DISK_FULL', { detail: message ?? 'The disk is full.', cause: error });
  }
  return new BerthError('ENGINE_FAILED', {
    detail: `The build could not be started: ${message ?? String(error)}.`,
    cause: error,
  });
}

/** On a full disk the ledger cannot grow: the layers are found again by the next build that uses them. */
function ignoreUnwritten(error: unknown): void {
  if (!(error instanceof BerthError)) throw error;
}
