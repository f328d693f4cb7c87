/** How Berth's things are called inside Podman, and how people's image names become full ones. */
import type { InstanceId, Slot } from '../../core/model.ts';
import { formatSlot, parseSlot } from '../../core/limits.ts';

/** Labels are the ledger on the engine's side: a container without our `ledger` label is invisible to us. */
export const LABEL = {
  ledger: 'berth.ledger',
  instance: 'berth.instance',
  deployment: 'berth.deployment',
  project: 'berth.project',
  slot: 'berth.slot',
} as const;

/** The parent of all instances in every cgroup hierarchy. */
export const INSTANCES_CGROUP = '/berth';

/** `berth-<instance id>`. */
export function containerName(id: InstanceId): string {
  return `berth-${id}`;
}

/** `berth-<first 8 of the ledger id>-<project>`: one bridge network per project. */
export function networkName(ledgerId: string, project: string): string {
  return `berth-${ledgerId.slice(0, 8)}-${project}`;
}

/** The label value from which an adopted instance knows its quota again. */
export function slotLabel(slot: Slot): string {
  return formatSlot(slot);
}

/** Undefined when the label is absent or was not written by us. */
export function slotFromLabel(label: string | undefined): Slot | undefined {
  return label === undefined ? undefined : parseSlot(label);
}

/**
 * What Docker makes of a short name, so that the host needs no search registries:
 *
 * | given | full |
 * |---|---|
 * | `node` | `docker.io/library/node:latest` |
 * | `node:24-slim` | `docker.io/library/node:24-slim` |
 * | `grafana/grafana@sha256:…` | `docker.io/grafana/grafana@sha256:…` |
 * | `localhost/app`, `quay.io/a/b:1`, `registry:5000/a` | the same, with `:latest` if neither tag nor digest is given |
 * | `sha256:…`, 64 hex digits | the same: an image id |
 */
export function fullImageName(reference: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(reference)) return reference;
  const [first = '', ...rest] = reference.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  let name = reference;
  if (!hasRegistry) name = `docker.io/${rest.length > 0 ? '' : 'library/'}${reference}`;
  else if (first === 'docker.io' && rest.length === 1) name = `docker.io/library/${rest[0]}`;
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? name : `${name}:latest`;
}
