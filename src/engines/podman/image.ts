/** What is known of an image; pulls it when it is not there. */
import { BerthError } from '../../core/errors.ts';
import type { Image } from '../../core/model.ts';
import { type PodmanClient, refusalOf, refused } from './client.ts';
import { fullImageName, LABEL } from './names.ts';

/** As `/images/{name}/json` gives it. */
export interface Inspection {
  readonly Id: string;
  readonly Size: number;
  /** Of which it is the next step; empty when there is none. */
  readonly Parent?: string;
  readonly ManifestType?: string;
  readonly RootFS?: { readonly Layers?: readonly string[] | null } | null;
  /** Oldest first. */
  readonly History?: readonly { readonly empty_layer?: boolean }[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Config?: { readonly ExposedPorts?: Readonly<Record<string, unknown>> | null } | null;
}

/** As `/images/{name}/history` gives it. */
export interface Step {
  readonly CreatedBy?: string;
  readonly size?: number;
  readonly Size?: number;
}

const PULL_SILENCE_MS = 10 * 60_000;

/** Throws IMAGE_NOT_FOUND when it can neither be found nor pulled. */
export async function image(client: PodmanClient, reference: string): Promise<Image> {
  const name = fullImageName(reference);
  const found = (await inspect(client, name)) ?? (await pullAndInspect(client, name));
  const steps = (await client.request({
    method: 'GET',
    path: `/images/${encodeURIComponent(found.Id)}/history`,
    lane: 'read',
  })) as readonly Step[];
  return {
    id: withAlgorithm(found.Id),
    bytes: found.Size,
    layers: steps
      .map((step) => ({
        bytes: step.size ?? step.Size ?? 0,
        createdBy: withoutBuildArguments(step.CreatedBy ?? ''),
      }))
      .filter((layer) => layer.bytes > 0)
      .toSorted((one, other) => other.bytes - one.bytes),
    exposedPorts: Object.keys(found.Config?.ExposedPorts ?? {})
      .filter((port) => !port.endsWith('/udp'))
      .map((port) => Number.parseInt(port, 10))
      .filter((port) => port > 0)
      .toSorted((one, other) => one - other),
  };
}

/** Some 1 ms, where looking into the image takes 10 and more: Podman adds its layers up for that. */
export async function hasImage(client: PodmanClient, imageId: string): Promise<boolean> {
  const call = {
    method: 'GET',
    path: `/images/${encodeURIComponent(imageId)}/exists`,
    lane: 'read',
  } as const;
  const answer = await client.ask(call);
  if (answer.status === 404) return false;
  if (answer.status >= 400) throw refused(call, answer);
  return true;
}

/** Removes an image that carries our ledger label, and not its parents, unless something needs it; whether it is gone. */
export async function removeImage(
  client: PodmanClient,
  ledgerId: string,
  imageId: string,
): Promise<boolean> {
  const found = await inspect(client, imageId);
  if (!found) return true;
  if (found.Labels?.[LABEL.ledger] !== ledgerId) return false;
  const call = {
    method: 'DELETE',
    // The verb for several: the one for a single image takes unnamed parents along, other people's too.
    path: '/images/remove',
    query: { images: found.Id, force: false, noprune: true },
    lane: 'change',
  } as const;
  const answer = await client.ask(call);
  // 409: in use, or the base of another image.
  if (answer.status >= 400 && answer.status !== 404 && answer.status !== 409) {
    throw refused(call, answer);
  }
  return (await inspect(client, imageId)) === undefined;
}

/** Undefined when there is none. */
export async function inspect(client: PodmanClient, name: string): Promise<Inspection | undefined> {
  const call = {
    method: 'GET',
    path: `/images/${encodeURIComponent(name)}/json`,
    lane: 'read',
  } as const;
  const answer = await client.ask(call);
  if (answer.status === 404) return undefined;
  if (answer.status >= 400) throw refused(call, answer);
  return answer.value as Inspection;
}

async function pullAndInspect(client: PodmanClient, name: string): Promise<Inspection> {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) throw notFound(name, 'no image has this id');
  let reason = 'it cannot be pulled';
  const call = {
    method: 'POST',
    path: '/images/pull',
    query: { reference: name, policy: 'missing', quiet: true },
    lane: 'long',
    timeoutMs: PULL_SILENCE_MS,
  } as const;
  const answer = await client.ask(call);
  if (answer.status >= 400) reason = refusalOf(answer).message;
  else {
    const { error } = (answer.value ?? {}) as { error?: unknown; message?: unknown };
    if (typeof error === 'string') reason = error;
  }
  const found = await inspect(client, name);
  if (!found) throw notFound(name, reason);
  return found;
}

function notFound(name: string, reason: string): BerthError {
  return new BerthError('IMAGE_NOT_FOUND', { detail: `${name}: ${reason}` });
}

/** `sha256:…` */
export function withAlgorithm(id: string): string {
  return id.includes(':') ? id : `sha256:${id}`;
}

/** `|2 A=1 TOKEN=x /bin/sh -c make` → `/bin/sh -c make`: values of build arguments may be secret, and history keeps them. */
export function withoutBuildArguments(createdBy: string): string {
  if (!/^\|\d+ /.test(createdBy)) return createdBy;
  const command = createdBy.lastIndexOf('/bin/sh -c ');
  return command < 0 ? 'RUN …' : createdBy.slice(command);
}
