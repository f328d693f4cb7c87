/** `berth up`: starts the server in the background and waits until it is healthy. */
import { open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BerthError, CATALOGUE, type ErrorCode } from '../core/errors.ts';
import { isHealthy } from './connect.ts';
import type { Context } from './context.ts';
import type { ServerOptions } from './program.ts';
import { dataFolder, runningServer, type ServerNote, urlOf } from './server-address.ts';
import type { World } from './world.ts';

/** A first start makes folders and a Podman service; adopting many instances takes a while, in ms. */
const START_MS = 60_000;
const LOOK_EVERY_MS = 25;
/** Lines of the log that a failed start shows. */
const SHOWN_LINES = 20;

export async function run({ world, output }: Context, options: ServerOptions): Promise<void> {
  const data = dataFolder(world, options);
  const log = join(data, 'serve.log');
  const step = output.step('Starting Berth');
  try {
    const before = await runningServer(world, data);
    const note = before ?? (await start(world, data, log, options));
    await waitUntilHealthy(world, note, log);
    const text = `${before ? 'Berth was running already' : 'Berth is running'} at ${urlOf(note.listen)}`;
    step.done(text);
    if (before && isOther(options, note)) {
      output.note(
        `  It listens on ${note.listen}, not ${options.listen}: \`berth down\` first to change that.`,
      );
    }
    if (output.isJson) {
      output.json({ ...note, url: urlOf(note.listen), data, log, started: !before });
    } else if (!output.isTerminal) output.print(urlOf(note.listen));
  } catch (error) {
    step.fail('Berth did not start');
    throw error;
  }
}

/** Resolves when the server has written its note; throws with the end of its log when it ended instead. */
async function start(
  world: World,
  data: string,
  log: string,
  options: ServerOptions,
): Promise<ServerNote> {
  const logBefore = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  const processId = await startProcess(world, data, log, options);
  const deadline = world.clock.now() + START_MS;
  for (;;) {
    const note = await runningServer(world, data);
    if (note) return note;
    const lines = async () => (await readFrom(log, logBefore)).slice(-SHOWN_LINES);
    if (!world.background.isAlive(processId)) {
      // Another `up` may have been quicker: then its server is what was wanted.
      const other = await runningServer(world, data);
      if (other) return other;
      throw startError(await lines(), log);
    }
    if (world.clock.now() > deadline) {
      world.background.signal(processId, 'SIGTERM');
      throw new BerthError('INTERNAL', {
        detail: `The server did not start within ${START_MS / 1_000} s; its log is ${log}.`,
        log: await lines(),
      });
    }
    await world.clock.sleep(LOOK_EVERY_MS, world.interrupted);
  }
}

async function startProcess(
  world: World,
  data: string,
  log: string,
  options: ServerOptions,
): Promise<number> {
  const args = ['serve', '--data', data, '--listen', options.listen, '--domain', options.domain];
  args.push('--engine', options.engine);
  if (options.memoryBudget !== undefined) args.push('--memory-budget', `${options.memoryBudget}`);
  if (options.buildTimeout !== undefined) args.push('--build-timeout', `${options.buildTimeout}ms`);
  if (options.storage !== undefined) {
    args.push('--storage', resolve(world.folder, options.storage));
  }
  try {
    return await world.background.start(args, log);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('DATA_FOLDER', { detail, cause });
  }
}

async function waitUntilHealthy(world: World, note: ServerNote, log: string): Promise<void> {
  const deadline = world.clock.now() + START_MS;
  while (!(await isHealthy(world, urlOf(note.listen)))) {
    if (!world.background.isAlive(note.pid) || world.clock.now() > deadline) {
      throw new BerthError('INTERNAL', {
        detail: `The server at ${urlOf(note.listen)} does not answer; its log is ${log}.`,
        log: (await readFrom(log, 0)).slice(-SHOWN_LINES),
      });
    }
    await world.clock.sleep(LOOK_EVERY_MS, world.interrupted);
    if (world.interrupted.aborted) return;
  }
}

/** The server reports its own end as every command does: the code is taken over. */
function startError(lines: readonly string[], log: string): BerthError {
  const index = lines.findLastIndex((line) => /^error [A-Z_]+: /.test(line));
  const [, code = '', said = ''] = /^error ([A-Z_]+): (.*)/.exec(lines[index] ?? '') ?? [];
  if (!Object.hasOwn(CATALOGUE, code)) {
    return new BerthError('INTERNAL', {
      detail: `The server ended at once; its log is ${log}.`,
      log: lines,
    });
  }
  const known = code as ErrorCode;
  const detail = said.startsWith(`${CATALOGUE[known].title}: `)
    ? said.slice(CATALOGUE[known].title.length + 2)
    : said;
  return new BerthError(known, { detail });
}

function isOther(options: ServerOptions, note: ServerNote): boolean {
  return !options.listen.endsWith(':0') && options.listen !== note.listen;
}

/** The lines of a file after a position; none when it cannot be read. */
async function readFrom(path: string, position: number): Promise<readonly string[]> {
  const file = await open(path).catch(() => undefined);
  if (!file) return [];
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size - position, 64 * 1024));
    await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString().trimEnd().split('\n');
  } finally {
    await file.close();
  }
}
