/** `berth up`: starts the server in the background and waits until it is healthy. */
import { open, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BerthError, CATALOGUE, type ErrorCode } from '../core/errors.ts';
import { TRAFFIC_BOUNDS, type TrafficBoundKey } from '../core/traffic-bounds.ts';
import { isHealthy } from './connect.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';
import type { ServerOptions } from './server-options.ts';
import { formatBound } from './values.ts';
import {
  dataFolder,
  remoteServer,
  runningServer,
  type ServerNote,
  urlOf,
} from './server-address.ts';
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
    const before = await healthyServer(world, data);
    const note = before ?? (await start(world, data, log, options));
    const url = urlOf(note.listen);
    step.done(`${before ? 'Berth was running already' : 'Berth is running'} at ${url}`);
    if (before && isOther(options, note)) {
      const asked = `It listens on ${note.listen}, not ${options.listen}`;
      output.note(`  ${asked}: \`berth down\` first to change that.`);
    }
    if (!before) await showLoginLink(output, data);
    const remote = await remoteServer(world, options);
    if (remote && remote.url !== url) {
      output.note(
        `  Commands go to ${remote.url}: \`berth logout\`, or --data ${data}, leads here.`,
      );
    }
    if (output.isJson) output.json({ ...note, url, data, log, started: !before });
    else if (!output.isTerminal) output.print(url);
  } catch (error) {
    step.fail('Berth did not start');
    throw error;
  }
}

/** Somebody has to be the first owner for others to be let in; on this machine no login is needed. */
async function showLoginLink(output: Output, data: string): Promise<void> {
  const link = await readFile(join(data, 'login-link'), 'utf8').catch(() => '');
  if (link !== '') output.note(`  To log in from elsewhere as the owner, once: ${link.trim()}`);
}

async function healthyServer(world: World, data: string): Promise<ServerNote | undefined> {
  const note = await runningServer(world, data);
  return note && (await isHealthy(world, urlOf(note.listen))) ? note : undefined;
}

/** Resolves when a server of this data folder is healthy; throws with the end of its log when it ended instead. */
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
    const note = await healthyServer(world, data);
    const isOurs = world.background.isServer(processId);
    // Our own process has to be the server or to have given way: left behind, it would start after the next `down`.
    if (note && (note.pid === processId || !isOurs)) return note;
    if (!isOurs) {
      const error = startError(await readFrom(log, logBefore), log);
      // Another `up` was quicker: its server is what was wanted, as soon as it is healthy.
      if (!isOtherStarting(world, error) || world.clock.now() > deadline) throw error;
    } else if (world.clock.now() > deadline) {
      world.background.signal(processId, 'SIGTERM');
      throw new BerthError('INTERNAL', {
        detail: `The server was not healthy within ${START_MS / 1_000} s; its log is ${log}.`,
        log: (await readFrom(log, logBefore)).slice(-SHOWN_LINES),
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
  if (options.deploysPerMinute !== undefined)
    args.push('--deploys-per-minute', `${options.deploysPerMinute}`);
  if (options.diskBudget !== undefined) args.push('--disk-budget', `${options.diskBudget / 1e6}M`);
  if (options.keepReleases !== undefined) args.push('--keep-releases', `${options.keepReleases}`);
  for (const [option, ms] of [
    ['--preview-ttl', options.previewTtl],
    ['--keep-production', options.keepProduction],
    ['--failed-ttl', options.failedTtl],
    ['--cache-ttl', options.cacheTtl],
  ] as const) {
    if (ms !== undefined) args.push(option, Number.isFinite(ms) ? `${ms}ms` : 'never');
  }
  if (options.storage !== undefined) {
    args.push('--storage', resolve(world.folder, options.storage));
  }
  if (options.accessLog === 'off') args.push('--access-log', 'off');
  if (options.trustedProxies !== undefined) {
    args.push('--trusted-proxies', options.trustedProxies.join(','));
  }
  for (const [key, value] of Object.entries(options.bound ?? {})) {
    const { name, unit } = TRAFFIC_BOUNDS[key as TrafficBoundKey];
    args.push('--bound', `${name}=${formatBound(value, unit)}`);
  }
  if (options.openMetrics) args.push('--open-metrics');
  if (options.listenTls !== undefined) args.push('--listen-tls', options.listenTls);
  if (options.httpsRedirect) args.push('--https-redirect');
  if (options.hsts !== undefined) args.push('--hsts', `${options.hsts}ms`);
  if (options.acmeEmail !== undefined) args.push('--acme-email', options.acmeEmail);
  if (options.acmeDirectory !== undefined) args.push('--acme-directory', options.acmeDirectory);
  if (options.acmeCa !== undefined) args.push('--acme-ca', resolve(world.folder, options.acmeCa));
  try {
    return await world.background.start(args, log);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('DATA_FOLDER', { detail, cause });
  }
}

/** SERVER_RUNNING names the process that was first; it may fail yet. */
function isOtherStarting(world: World, error: BerthError): boolean {
  const processId = /\bProcess (\d+)\b/.exec(error.detail)?.[1];
  if (error.code !== 'SERVER_RUNNING' || processId === undefined) return false;
  return world.background.isServer(Number(processId));
}

/**
 * The server reports its own end as every command does: the code is taken over. Of two that were started at once
 * into the same log, the one that had the folder says why it ended.
 */
function startError(lines: readonly string[], log: string): BerthError {
  const errors = lines.flatMap((line) => {
    const [, code = '', said = ''] = /^error ([A-Z_]+): (.*)/.exec(line) ?? [];
    return Object.hasOwn(CATALOGUE, code) ? [{ code: code as ErrorCode, said }] : [];
  });
  const last = errors.findLast(({ code }) => code !== 'SERVER_RUNNING') ?? errors.at(-1);
  if (!last) {
    return new BerthError('INTERNAL', {
      detail: `The server ended at once; its log is ${log}.`,
      log: lines.slice(-SHOWN_LINES),
    });
  }
  const prefix = `${CATALOGUE[last.code].title}: `;
  const detail = last.said.startsWith(prefix) ? last.said.slice(prefix.length) : last.said;
  return new BerthError(last.code, { detail });
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
