/** Does what was decided: deployments first, then what nothing needs any more. */
import { join } from 'node:path';
import { type CleanupRules, type Decision, decideInSteps } from '../core/gc.ts';
import type { Deployment, DeploymentId } from '../core/model.ts';
import { environmentKey } from '../core/route.ts';
import { childrenFirst, freedBy } from '../core/stored-images.ts';
import { inTurns } from './in-turns.ts';
import { folderBytes } from './measure.ts';
import type { CleanupNeeds } from './needs.ts';
import { observe, type Observed } from './observe.ts';

/** What becomes of one thing, and what that frees. */
export interface GcLine extends Omit<Decision, 'kind'> {
  readonly kind: Decision['kind'] | 'blobs';
  /** What goes with it, each layer with the last that has it; 0 for what stays. */
  readonly bytes: number;
  /** After a run: `left` was to go and could not. */
  readonly outcome?: 'removed' | 'left';
}

/** Longer than this after it was made a decision about a deployment is made anew. */
const FRESH_MS = 1_000;

/** What would go now, and what stays. */
export async function plan(
  needs: CleanupNeeds,
  rules: CleanupRules,
  lastRequestAt: ReadonlyMap<DeploymentId, number>,
): Promise<readonly GcLine[]> {
  const seen = await observe(needs, lastRequestAt);
  const decisions = await inTurns(decideInSteps(seen, rules));
  return [...(await weigh(needs, seen, decisions)), ...(await blobs(needs, seen, decisions, true))];
}

/** Removes deployments whose time is over; the lines of those that went, and of those that could not. */
export async function removeDeployments(
  needs: CleanupNeeds,
  rules: CleanupRules,
  lastRequestAt: ReadonlyMap<DeploymentId, number>,
  signal: AbortSignal,
): Promise<readonly GcLine[]> {
  const lines: GcLine[] = [];
  const tried = new Set<DeploymentId>();
  while (!signal.aborted) {
    const seen = await observe(needs, lastRequestAt);
    const due = (await inTurns(decideInSteps(seen, rules))).filter(
      ({ kind, verdict, id }) =>
        (kind === 'environment' || kind === 'deployment') && verdict === 'remove' && !tried.has(id),
    );
    if (due.length === 0) break;
    const decidedAt = needs.clock.now();
    for (const decision of due) {
      if (signal.aborted || needs.clock.now() - decidedAt > FRESH_MS) break;
      if (tried.has(decision.id)) continue;
      if (decision.kind === 'environment') {
        tried.add(decision.id);
        const outcome = await removeEnvironment(needs, seen, decision.id);
        lines.push({ ...decision, bytes: 0, outcome });
        // What it runs stays with it, and is decided anew when it has gone.
        if (outcome === 'left') for (const id of runBy(seen, decision.id)) tried.add(id);
        continue;
      }
      const deployment = await needs.store.deployment(decision.id);
      const isAsked = lastRequestAt.get(decision.id) ?? 0;
      tried.add(decision.id);
      // Asked since it was looked at: it lives on.
      if (!deployment || isAsked > seen.now) continue;
      const outcome = await remove(needs, deployment, decision.because);
      lines.push({ ...decision, bytes: 0, outcome });
    }
  }
  return lines;

  async function remove(
    { deploys, onExpired, reporter }: CleanupNeeds,
    deployment: Deployment,
    because: string,
  ): Promise<'removed' | 'left'> {
    try {
      await deploys.removeRow(deployment);
      reporter.report('info', 'deployment.expired', { deployment: deployment.id, because });
      await onExpired(deployment, because);
      return 'removed';
    } catch (error) {
      const facts = { deployment: deployment.id, error: String(error) };
      reporter.report('warn', 'deployment.left', facts);
      return 'left';
    }
  }
}

async function removeEnvironment(
  needs: CleanupNeeds,
  { environments }: Observed,
  id: string,
): Promise<'removed' | 'left'> {
  const found = environments.find(({ project, name }) => environmentKey(project, name) === id);
  try {
    if (found) await needs.removeEnvironment(found.project, found.name);
    needs.reporter.report('info', 'environment.expired', { environment: id });
    return 'removed';
  } catch (error) {
    needs.reporter.report('warn', 'environment.left', { environment: id, error: String(error) });
    return 'left';
  }
}

function runBy({ releases }: Observed, id: string): readonly DeploymentId[] {
  return releases
    .filter((one) => one.state === 'current' && environmentKey(one.project, one.environment) === id)
    .flatMap(({ deploymentId, baseId }) => [deploymentId, baseId]);
}

/** Removes what no deployment needs: images, layers, networks, folders, blobs. */
export async function clear(
  needs: CleanupNeeds,
  rules: CleanupRules,
  lastRequestAt: ReadonlyMap<DeploymentId, number>,
  /** The caller holds what keeps builds from running. */
  isAlone = false,
): Promise<readonly GcLine[]> {
  const lines: GcLine[] = [];
  /** As they are while nothing is built. */
  const imagesDue = async () => {
    const seen: Observed = { ...(await observe(needs, lastRequestAt)), isBuilding: false };
    const decisions = await inTurns(decideInSteps(seen, rules, 'deployments stay'));
    const due = (await weigh(needs, seen, decisions)).filter(
      ({ verdict, kind }) => verdict === 'remove' && (kind === 'image' || kind === 'layer'),
    );
    const there = new Set(seen.images.map(({ id }) => id));
    // Somebody else removed them: their entries say nothing any more.
    const gone = seen.ledger.filter(({ kind, id }) => kind === 'layer' && !there.has(id));
    return { due, gone };
  };
  const clearImages = async () => {
    const { due, gone } = await imagesDue();
    for (const line of due) lines.push(await removeOne(needs, line));
    for (const { id } of gone) await needs.store.forget('layer', id);
  };
  if (isAlone) {
    await clearImages();
  } else {
    // The first look after a start takes seconds: no build waits for it, nor for a clean-up with nothing to do.
    const { due, gone } = await imagesDue();
    if (due.length + gone.length > 0) await needs.deploys.whileNoBuild(clearImages);
  }
  const seen = await observe(needs, lastRequestAt);
  const decisions = await inTurns(decideInSteps(seen, rules, 'deployments stay'));
  for (const line of await weigh(needs, seen, decisions)) {
    if (line.verdict !== 'remove') continue;
    if (line.kind !== 'network' && line.kind !== 'logs' && line.kind !== 'build') continue;
    // A deploy that began meanwhile makes what it needs before it is looked at again.
    if (needs.deploys.underWay().has(line.id) || isProjectUnderWay(needs, line)) continue;
    lines.push(await removeOne(needs, line));
  }
  return [...lines, ...(await blobs(needs, seen, decisions, false))];
}

function isProjectUnderWay({ deploys }: CleanupNeeds, { kind, project }: GcLine): boolean {
  if (kind !== 'network' || project === undefined) return false;
  return [...deploys.underWay()].some((id) => id.startsWith(`${project}-`));
}

async function removeOne(needs: CleanupNeeds, line: GcLine): Promise<GcLine> {
  const { kind, id } = line;
  try {
    const isGone = await removeThing(needs, line);
    if (!isGone) {
      const because = `${line.because}, but something that is not Berth’s uses it`;
      return { ...line, bytes: 0, outcome: 'left', because };
    }
    needs.reporter.report('info', `${kind}.removed`, { id, because: line.because });
    return { ...line, outcome: 'removed' };
  } catch (error) {
    needs.reporter.report('warn', `${kind}.left`, { id, error: String(error) });
    const because = `${line.because}, but it could not be removed: ${String(error)}`;
    return { ...line, bytes: 0, outcome: 'left', because };
  }
}

async function removeThing(
  { engine, store, logs, deploys }: CleanupNeeds,
  { kind, id, project }: GcLine,
): Promise<boolean> {
  switch (kind) {
    case 'image':
    case 'layer':
      if (!(await engine.removeImage(id))) return false;
      await store.forget(kind, id);
      return true;
    case 'network':
      if (project !== undefined) await engine.removeNetwork(project);
      return !(await store.ledger('network')).some((entry) => entry.id === id);
    case 'logs':
      await logs.remove(id);
      return true;
    case 'build':
      await deploys.discardBuild(id);
      return true;
    default:
      return false;
  }
}

/** In the order in which things can go, each with what it frees. */
async function weigh(
  { folders }: CleanupNeeds,
  { images }: Observed,
  decisions: readonly Decision[],
): Promise<readonly GcLine[]> {
  const going = decisions.filter(({ verdict }) => verdict === 'remove');
  const imageIds = going.filter(isImage).map(({ id }) => id);
  const order = childrenFirst([...new Set(imageIds)], images);
  const freed = new Map(freedBy(order, images));
  const rank = new Map(order.map((id, index) => [id, index]));
  const lines: GcLine[] = [];
  for (const decision of decisions) {
    let bytes = 0;
    if (decision.verdict === 'remove') {
      if (isImage(decision)) {
        // It may be both an image and a layer of a later build: it frees its room once.
        bytes = freed.get(decision.id) ?? 0;
        freed.delete(decision.id);
      }
      if (decision.kind === 'logs') bytes = await folderBytes(join(folders.logs, decision.id));
      else if (decision.kind === 'build') {
        bytes = await folderBytes(join(folders.builds, decision.id));
      }
    }
    lines.push({ ...decision, bytes });
  }
  const ofImages = lines.filter(isImage);
  return [
    ...lines.filter((line) => !isImage(line)),
    ...ofImages.toSorted((one, other) => (rank.get(one.id) ?? -1) - (rank.get(other.id) ?? -1)),
  ];
}

function isImage({ kind }: Pick<GcLine, 'kind'>): boolean {
  return kind === 'image' || kind === 'layer';
}

async function blobs(
  needs: CleanupNeeds,
  seen: Observed,
  decisions: readonly Decision[],
  isDryRun: boolean,
): Promise<readonly GcLine[]> {
  const going = new Set(
    decisions
      .filter((one) => one.kind === 'deployment' && one.verdict === 'remove')
      .map((one) => one.id),
  );
  const manifests = seen.deployments.flatMap(({ id, manifest }) =>
    manifest !== undefined && !going.has(id) ? [manifest] : [],
  );
  const { count, bytes } = await needs.sweepBlobs(manifests, isDryRun);
  if (count === 0) return [];
  return [
    {
      kind: 'blobs',
      id: `${count} ${count === 1 ? 'file' : 'files'}`,
      verdict: 'remove',
      because: 'uploaded, in no deployment, and not asked for in the last hour',
      bytes,
      ...(isDryRun ? {} : { outcome: 'removed' as const }),
    },
  ];
}
