/** Environments and releases in their wire form. Of variables only the names leave. */
import type { z } from 'zod';
import type {
  Environment,
  EnvironmentName,
  EnvironmentSettings,
  Limits,
  Release,
} from '../core/model.ts';
import type * as schemas from './schemas-releases.ts';
import { toIso } from './wire.ts';

export type WireRelease = z.output<typeof schemas.release>;
export type WireEnvironment = z.output<typeof schemas.environment>;

/** The URL of an environment, for ever the same. */
export type UrlOfEnvironment = (project: string, name: EnvironmentName) => string;

/** `endedTrial`: the number of the release on trial that this one took the place of. */
export function toWireRelease(
  release: Release & { readonly endedTrial?: number },
  urlOf: UrlOfEnvironment,
): WireRelease {
  const { project, environment, number, kind, state, secrets, percent, because } = release;
  const { endedTrial } = release;
  return {
    project,
    environment,
    number,
    kind,
    state,
    base: release.baseId,
    deployment: release.deploymentId,
    url: urlOf(project, environment),
    settings: toWireSettings(release.settings),
    secrets: { ...secrets },
    ...(percent === undefined ? {} : { percent }),
    ...(endedTrial === undefined ? {} : { endedTrial }),
    because,
    createdAt: toIso(release.createdAt),
    createdBy: release.createdBy,
  };
}

export function toWireEnvironment(
  environment: Environment,
  current: Release | undefined,
  urlOf: UrlOfEnvironment,
): WireEnvironment {
  const { project, name, latest, settings, pausedBecause } = environment;
  return {
    project,
    name,
    url: urlOf(project, name),
    ...(current ? { current: toWireRelease(current, urlOf) } : {}),
    latest,
    settings: toWireSettings(settings),
    ...(pausedBecause === undefined ? {} : { paused: pausedBecause }),
  };
}

function toWireSettings({
  variables,
  limits,
  scale,
}: EnvironmentSettings): WireRelease['settings'] {
  return {
    variables: Object.keys(variables),
    limits: toWireLimits(limits),
    ...(scale ? { scale: { ...scale } } : {}),
  };
}

function toWireLimits({ maxConcurrentReqs, durationMs, timeoutMs }: Partial<Limits>) {
  return {
    ...(maxConcurrentReqs === undefined ? {} : { maxConcurrentReqs }),
    ...(durationMs === undefined ? {} : { duration: durationMs }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
}
