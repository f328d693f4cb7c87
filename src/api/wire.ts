/** The model in its wire form. Values of variables never leave in it: names alone say enough, and those of secrets. */
import type { z } from 'zod';
import { describeConfiguration } from '../config/schema.ts';
import type { Deployment, DeploymentId, InstanceView } from '../core/model.ts';
import { readVariable } from '../core/secret.ts';
import type { LogLine } from '../ports/logs.ts';
import type { ProgressEvent } from '../deploys/progress.ts';
import type * as schemas from './schemas.ts';

export type WireDeployment = z.output<typeof schemas.deployment>;
type WireInstance = z.output<typeof schemas.instance>;
type WireConfiguration = WireDeployment['configuration'];

/** In the place of a variable's value. */
const HIDDEN = '…';

export function toWireDeployment(
  deployment: Deployment,
  urlOf: (id: DeploymentId) => string,
): WireDeployment {
  const { id, project, state, source, image, failure, createdAt, createdBy, readyAt } = deployment;
  return {
    id,
    project,
    url: urlOf(id),
    state,
    source: { ...source },
    configuration: hideValues(describeConfiguration(deployment.configuration)),
    ...(deployment.secrets ? { secrets: { ...deployment.secrets } } : {}),
    ...(image ? { image: { id: image.id, bytes: image.bytes } } : {}),
    ...(failure ? { failure: { ...failure } } : {}),
    createdAt: toIso(createdAt),
    createdBy,
    ...(readyAt === undefined ? {} : { readyAt: toIso(readyAt) }),
  };
}

export function toWireInstance(instance: InstanceView): WireInstance {
  const { id, deploymentId, state, inFlight, createdAt, runningMs, because } = instance;
  return {
    id,
    deployment: deploymentId,
    state,
    inFlight,
    createdAt: toIso(createdAt),
    runningMs: Math.round(runningMs),
    ...(instance.restarts === undefined ? {} : { restarts: instance.restarts }),
    ...(instance.address === undefined ? {} : { address: instance.address }),
    ...(instance.busyUntil === undefined ? {} : { busyUntil: toIso(instance.busyUntil) }),
    because,
  };
}

export function toWireLogLine(line: LogLine): z.output<typeof schemas.logLine> {
  return { instance: line.instanceId, at: toIso(line.at), stream: line.stream, text: line.text };
}

/** The data of a progress event; its name is the event's kind. */
export function toWireProgress(event: ProgressEvent, urlOf: (id: DeploymentId) => string): object {
  switch (event.kind) {
    case 'step': {
      const { kind: _, ...step } = event;
      return step;
    }
    case 'line':
      return { text: event.text };
    case 'end':
      return { deployment: toWireDeployment(event.deployment, urlOf) };
  }
}

/** ms since the epoch → ISO 8601 in UTC. */
export function toIso(at: number): string {
  return new Date(at).toISOString();
}

function hideValues(configuration: WireConfiguration): WireConfiguration {
  const { env, build } = configuration;
  return {
    ...configuration,
    ...(env ? { env: hidden(env) } : {}),
    ...(build ? { build: { ...build, ...(build.env ? { env: hidden(build.env) } : {}) } } : {}),
  };
}

function hidden(variables: NonNullable<WireConfiguration['env']>): Record<string, string> {
  if (Array.isArray(variables)) return Object.fromEntries(variables.map((name) => [name, HIDDEN]));
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      readVariable(value).kind === 'secret' ? value : HIDDEN,
    ]),
  );
}
