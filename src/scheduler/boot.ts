/** Brings an instance from nothing, or from parked, to a port that listens. */
import { choosePort, PORT_PATIENCE_MS, type PortHints } from '../core/choose-port.ts';
import { BerthError, type ErrorCode } from '../core/errors.ts';
import { DEFAULT_PORT } from '../core/limits.ts';
import type { Deployment } from '../core/model.ts';
import { splitVariables } from '../core/secret.ts';
import type { Exit, InstanceSpec, Look } from '../ports/engine.ts';
import type { Context } from './context.ts';
import type { Instance, PrepareTimes } from './instance.ts';

/** A start that failed: whose fault, and what people are told. */
export interface BootFailure {
  readonly fault: 'app' | 'engine';
  readonly error: BerthError;
}

export type Booted = { readonly kind: 'ready' } | ({ readonly kind: 'failed' } & BootFailure);

/** Log lines that go with a failure. */
const FAILURE_LOG_LINES = 20;

/** `nothing → parked` (or created, where the engine cannot park). Written in the ledger first. */
export async function prepare(
  context: Context,
  deployment: Deployment,
  instance: Instance,
): Promise<PrepareTimes> {
  const { engine, store, logs, clock, inside } = context;
  const { configuration, image } = deployment;
  if (!image) throw new BerthError('NOT_READY', { detail: `${deployment.id} has no image yet.` });
  await store.record({
    kind: 'container',
    id: instance.id,
    deploymentId: deployment.id,
    createdAt: clock.now(),
  });
  const began = clock.now();
  const { plain, secret } = splitVariables(configuration.env);
  const values = await context.secrets.reveal(deployment.project, deployment.secrets ?? {});
  const secretEnv = Object.fromEntries(
    Object.entries(secret).map(([name, of]) => [name, valueOf(values, of)]),
  );
  const busyUrl = await inside?.busyUrl(deployment.project);
  const spec: InstanceSpec = {
    id: instance.id,
    deploymentId: deployment.id,
    project: deployment.project,
    imageId: image.id,
    slot: configuration.slot,
    env: {
      PORT: String(configuration.port ?? DEFAULT_PORT),
      BERTH_PROJECT: deployment.project,
      BERTH_DEPLOYMENT: deployment.id,
      ...(busyUrl === undefined ? {} : { BERTH_BUSY_URL: busyUrl }),
      ...plain,
    },
    ...(Object.keys(secretEnv).length > 0 ? { secretEnv } : {}),
    ...(configuration.command ? { command: configuration.command } : {}),
    logFile: await logs.fileFor(deployment.id, instance.id),
  };
  const created = await engine.create(spec).catch((error: unknown) => {
    throw withoutImage(deployment, error);
  });
  const createdAt = clock.now();
  const prepared = engine.powers.park ? await engine.park(instance.id) : created;
  instance.host = prepared.host;
  await inside?.joined(deployment.project);
  return { createMs: createdAt - began, parkMs: clock.now() - createdAt };
}

/** Somebody removed it, or a restore came without images. */
function withoutImage({ id, source }: Deployment, error: unknown): unknown {
  if (!(error instanceof BerthError) || error.code !== 'IMAGE_NOT_FOUND') return error;
  const what = source.kind === 'folder' ? 'its folder' : source.reference;
  return new BerthError('IMAGE_GONE', {
    detail: `The image of ${id} is not here any more: deploy ${what} again, and it has the same address.`,
    cause: error,
  });
}

/** Throws SECRET_NOT_FOUND. */
function valueOf(values: Readonly<Record<string, string>>, secret: string): string {
  const value = values[secret];
  if (value !== undefined) return value;
  const detail = `This deployment was made without a version of the secret ${secret}: deploy it again.`;
  throw new BerthError('SECRET_NOT_FOUND', { detail });
}

/** `parked → listening`. The instance's address and times are set when the result is `ready`. */
export async function startPrepared(
  context: Context,
  deployment: Deployment,
  instance: Instance,
  hints: PortHints,
): Promise<Booted> {
  const { engine, clock } = context;
  const began = clock.now();
  let executedAt: number | undefined;
  const starting = instance
    .inOrder(() => engine.start(instance.id))
    .then((started) => {
      instance.host = started.host ?? instance.host;
      executedAt ??= clock.now();
    });
  const failed = new AbortController();
  const startFailure = starting.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => {
      failed.abort();
      return engineFailure(error);
    },
  );
  // An engine that tells the address only with `start` cannot be looked at before.
  if (instance.host === undefined) await starting.catch(() => undefined);
  const found = await Promise.race([
    startFailure,
    findPort(context, deployment, instance, hints, failed.signal),
  ]);
  if (found.kind === 'failed') return found;
  const foundAt = clock.now();
  executedAt ??= foundAt;
  instance.port = found.port;
  instance.times = { bootMs: executedAt - began, portMs: foundAt - executedAt };
  instance
    .inOrder(() => engine.limitCpu(instance.id))
    .catch((error: unknown) =>
      context.reporter.report('warn', 'instance.cpu-not-limited', {
        instance: instance.id,
        error: String(error),
      }),
    );
  return { kind: 'ready' };
}

type PortFound =
  | { readonly kind: 'found'; readonly port: number }
  | ({ readonly kind: 'failed' } & BootFailure);

async function findPort(
  context: Context,
  deployment: Deployment,
  instance: Instance,
  hints: PortHints,
  signal: AbortSignal,
): Promise<PortFound> {
  const { engine, clock, bootTimeoutMs } = context;
  const began = clock.now();
  let seenFirstAt: number | undefined;
  let loopbackSince: number | undefined;
  while (!signal.aborted) {
    let look: Look;
    try {
      look = await engine.look(instance.id);
    } catch (error) {
      return engineFailure(error);
    }
    if (look.kind === 'exited') return exitFailure(context, deployment, instance, look.exit);
    const now = clock.now();
    const choice = choosePort(look.ports, hints);
    if (choice.kind === 'found') return choice;
    if (choice.kind === 'expecting') {
      seenFirstAt ??= now;
      if (now - seenFirstAt >= PORT_PATIENCE_MS) return { kind: 'found', port: choice.port };
    }
    if (choice.kind === 'loopbackOnly') {
      loopbackSince ??= now;
      if (now - loopbackSince >= LOOPBACK_PATIENCE_MS) {
        return appFailure(context, deployment, instance, 'NO_PORT', describeLoopback(choice.ports));
      }
    }
    if (now - began >= bootTimeoutMs) {
      const seconds = bootTimeoutMs / 1_000;
      const others = look.ports.map((entry) => entry.port);
      const detail =
        hints.configured !== undefined && others.length > 0
          ? `After ${seconds} s the app listens on ${others.join(', ')}, but not on port ${hints.configured} that the configuration names.`
          : `The app runs, but listened on no port within ${seconds} s.`;
      return appFailure(context, deployment, instance, 'NO_PORT', detail);
    }
    await clock.sleep(lookAgainMs(now - began), signal);
  }
  return engineFailure(new BerthError('ENGINE_FAILED', { detail: 'the start was given up' }));
}

/** How long an app that listens on loopback only is given to listen elsewhere too. */
const LOOPBACK_PATIENCE_MS = 3_000;

/** Every millisecond while it matters to somebody who waits; more slowly for apps that boot for seconds anyway. */
function lookAgainMs(elapsedMs: number): number {
  if (elapsedMs < 1_000) return 1;
  return elapsedMs < 5_000 ? 5 : 25;
}

function describeLoopback(ports: readonly number[]): string {
  const list = ports.map((port) => `127.0.0.1:${port}`).join(', ');
  return `The app listens only on ${list}, which nobody outside the instance can reach: listen on 0.0.0.0 instead.`;
}

/** 128 + SIGKILL. */
const KILLED = 137;

async function exitFailure(
  context: Context,
  deployment: Deployment,
  instance: Instance,
  exit: Exit,
): Promise<PortFound> {
  if (exit.outOfMemory) {
    const detail = `The app needed more than the ${deployment.configuration.slot.memoryMiB} MiB of its slot while starting.`;
    return appFailure(context, deployment, instance, 'OUT_OF_MEMORY', detail);
  }
  const detail = `The app exited with code ${exit.code} before it listened on a port.`;
  const failure = await appFailure(context, deployment, instance, 'BOOT_FAILED', detail);
  // Nobody kills himself: with memory left it was somebody else, which says nothing about the app.
  return exit.code === KILLED ? { ...failure, fault: 'engine' } : failure;
}

async function appFailure(
  context: Context,
  deployment: Deployment,
  instance: Instance,
  code: ErrorCode,
  detail: string,
): Promise<{ readonly kind: 'failed' } & BootFailure> {
  const lines = await context.logs.read(deployment.id, {
    tail: FAILURE_LOG_LINES,
    instanceId: instance.id,
  });
  const error = new BerthError(code, { detail, log: lines.map((line) => line.text) });
  return { kind: 'failed', fault: 'app', error };
}

/** Anything that is not the app's own doing. */
export function engineFailure(error: unknown): { readonly kind: 'failed' } & BootFailure {
  const known =
    error instanceof BerthError
      ? error
      : new BerthError('ENGINE_FAILED', { detail: String(error), cause: error });
  return { kind: 'failed', fault: 'engine', error: known };
}
