/** What this driver remembers of its containers: looked up at Podman once, then known without a call. */
import { BerthError } from '../../core/errors.ts';
import type { InstanceId, Slot } from '../../core/model.ts';
import type { EngineInstance, EngineState, Exit } from '../../ports/engine.ts';
import { type Cgroup, readCgroup } from './cgroup.ts';
import { type PodmanClient, refused } from './client.ts';
import { containerName, LABEL, slotFromLabel } from './names.ts';
import { readStat } from './process.ts';
import { wasKilledForMemory } from './runc.ts';

/** A container that has a process: parked, running or frozen. */
export interface Execution {
  readonly pid: number;
  readonly startTicks: number;
  readonly host: string | undefined;
  readonly cgroup: Cgroup;
}

/** One container of ours. */
export interface Known {
  readonly id: InstanceId;
  readonly deploymentId: string;
  readonly containerId: string;
  /** Name of the network it is in, once it is. */
  readonly network: string | undefined;
  readonly slot: Slot | undefined;
  readonly stopSignal: number;
  /** As last heard; `frozen` is never among these, it is read from the freezer. */
  readonly state: Exclude<EngineState, 'frozen'>;
  /** It ended, and conmon's own clean-up after it is still to come. */
  readonly isUntidy: boolean;
  readonly execution: Execution | undefined;
  readonly exit: Exit | undefined;
}

/** The part of libpod's inspect that we read. */
interface Inspection {
  readonly Id: string;
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>> | null;
    readonly StopSignal?: number;
  };
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
  };
  readonly NetworkSettings: {
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> | null;
  };
}

export interface Instances {
  /** As remembered; undefined when it was never looked up. */
  peek(id: InstanceId): Known | undefined;
  /** As remembered, else from Podman; undefined when there is none of ours. */
  find(id: InstanceId): Promise<Known | undefined>;
  /** From Podman now. */
  refresh(id: InstanceId): Promise<Known | undefined>;
  /** `find`, or ENGINE_FAILED. */
  existing(id: InstanceId): Promise<Known>;
  /** Notes a change that a successful call made. */
  note(id: InstanceId, change: Partial<Pick<Known, 'state' | 'execution' | 'exit'>>): void;
  forget(id: InstanceId): void;
  /** Ids of the containers that were forgotten since the last call. */
  takeGone(): readonly string[];
  ids(): readonly InstanceId[];
}

export function createInstances(client: PodmanClient, ledgerId: string, folder: string): Instances {
  const known = new Map<InstanceId, Known>();
  const gone = new Set<string>();
  const drop = (id: InstanceId) => {
    const forgotten = known.get(id);
    if (forgotten) gone.add(forgotten.containerId);
    known.delete(id);
  };

  const refresh = async (id: InstanceId): Promise<Known | undefined> => {
    const call = {
      method: 'GET',
      path: `/containers/${containerName(id)}/json`,
      lane: 'read',
    } as const;
    const answer = await client.ask(call);
    if (answer.status >= 400 && answer.status !== 404) throw refused(call, answer);
    const found =
      answer.status === 404
        ? undefined
        : knownFrom(answer.value as Inspection, id, ledgerId, folder);
    if (found) known.set(id, found);
    else drop(id);
    return found;
  };
  const find = async (id: InstanceId) => known.get(id) ?? (await refresh(id));

  return {
    peek: (id) => known.get(id),
    find,
    refresh,
    async existing(id) {
      const found = await find(id);
      if (found) return found;
      drop(id);
      throw notThere(id);
    },
    note(id, change) {
      const before = known.get(id);
      if (before) known.set(id, { ...before, ...change });
    },
    forget: drop,
    takeGone() {
      const containerIds = [...gone];
      gone.clear();
      return containerIds;
    },
    ids: () => [...known.keys()],
  };
}

/** ENGINE_FAILED: Podman has no container of ours for this instance. */
export function notThere(id: InstanceId): BerthError {
  return new BerthError('ENGINE_FAILED', { detail: `There is no container for instance ${id}.` });
}

/** ENGINE_FAILED: the verb does not fit what the instance is doing. */
export function wrongState(id: InstanceId, is: string, wanted: string): BerthError {
  return new BerthError('ENGINE_FAILED', { detail: `Instance ${id} is ${is}, not ${wanted}.` });
}

function knownFrom(
  inspection: Inspection,
  id: InstanceId,
  ledgerId: string,
  folder: string,
): Known | undefined {
  const labels = inspection.Config.Labels ?? {};
  if (labels[LABEL.ledger] !== ledgerId || labels[LABEL.instance] !== id) return undefined;
  const state = stateFrom(inspection.State.Status);
  return {
    id,
    deploymentId: labels[LABEL.deployment] ?? '',
    containerId: inspection.Id,
    network: Object.keys(inspection.NetworkSettings.Networks ?? {})[0],
    slot: slotFromLabel(labels[LABEL.slot]),
    stopSignal: inspection.Config.StopSignal ?? 15,
    state,
    isUntidy: inspection.State.Status === 'stopped',
    execution: executionFrom(inspection),
    exit: state === 'exited' ? exitFrom(inspection, folder) : undefined,
  };
}

/** 143 is our own SIGTERM: then it was not memory, even if a child was killed for it long ago. */
const HARMLESS_CODES: readonly number[] = [0, 143];

function exitFrom(inspection: Inspection, folder: string): Exit {
  const code = inspection.State.ExitCode;
  return {
    code,
    outOfMemory:
      !HARMLESS_CODES.includes(code) &&
      (inspection.State.OOMKilled || wasKilledForMemory(folder, inspection.Id)),
  };
}

function executionFrom(inspection: Inspection): Execution | undefined {
  const pid = inspection.State.Pid;
  if (pid <= 0) return undefined;
  const stat = readStat(pid);
  const cgroup = readCgroup(pid, inspection.Id);
  if (!stat || !cgroup) return undefined;
  const network = Object.values(inspection.NetworkSettings.Networks ?? {})[0];
  return { pid, startTicks: stat.startTicks, host: network?.IPAddress || undefined, cgroup };
}

/** Podman's word for a state → ours. `paused` is running with the freezer on, which is read from the freezer. */
export function stateFrom(status: string): Known['state'] {
  switch (status) {
    case 'configured':
    case 'created':
      return 'created';
    case 'initialized':
      return 'parked';
    case 'stopped':
    case 'exited':
    case 'removing':
      return 'exited';
    default:
      return 'running';
  }
}

/** As the port shows it; `isFrozen` is what the freezer says. */
export function show(known: Known, isFrozen = false): EngineInstance {
  const host = known.execution?.host;
  return {
    id: known.id,
    deploymentId: known.deploymentId,
    state: known.state === 'running' && isFrozen ? 'frozen' : known.state,
    ...(host === undefined ? {} : { host }),
    ...(known.exit ? { exit: known.exit } : {}),
  };
}
