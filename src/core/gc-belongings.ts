/** What becomes of what deployments use: containers, networks, images, layers and folders. */
import type { CleanupRules, Decision, Seen, SeenDeployment } from './gc.ts';
import { keep, lives, type Reason, remove } from './gc-reason.ts';
import type { DeploymentId, LedgerEntry } from './model.ts';
import { eachInSteps, type Steps } from './steps.ts';

/** What was seen, by the names under which it is asked for: ten thousand deployments must not be searched for each of them. */
export interface Known extends Seen {
  readonly byId: ReadonlyMap<DeploymentId, SeenDeployment>;
  readonly kept: ReadonlySet<DeploymentId>;
  /** Projects with a deployment that is kept and runs, may run, or is worked on; and projects with any at all. */
  readonly running: ReadonlySet<string>;
  readonly projects: ReadonlySet<string>;
  /** Image → the deployment that is kept and runs it, or an image that stands on it. */
  readonly runs: ReadonlyMap<string, DeploymentId>;
  readonly standsOn: ReadonlyMap<string, DeploymentId>;
}

export function* index(seen: Seen, decided: ReadonlyMap<DeploymentId, Decision>): Steps<Known> {
  const byId = new Map(seen.deployments.map((deployment) => [deployment.id, deployment]));
  const kept = new Set<DeploymentId>();
  const running = new Set<string>();
  const runs = new Map<string, DeploymentId>();
  const standsOn = new Map<string, DeploymentId>();
  const parents = new Map(seen.images.map(({ id, parentId }) => [id, parentId]));
  yield* eachInSteps(seen.deployments, ({ id, project, state, image }) => {
    if (decided.get(id)?.verdict !== 'keep') return;
    kept.add(id);
    if (state !== 'failed' || seen.underWay.has(id)) running.add(project);
    // The image of a deploy that failed explains nothing and runs nothing: it may go before its row.
    if (!image || state === 'failed') return;
    runs.set(image.id, id);
    let at = parents.get(image.id);
    while (at !== undefined && !standsOn.has(at)) {
      standsOn.set(at, id);
      at = parents.get(at);
    }
  });
  const projects = new Set(seen.deployments.map(({ project }) => project));
  return { ...seen, byId, kept, running, projects, runs, standsOn };
}

/** What becomes of something that the ledger names. */
export function decideEntry(entry: LedgerEntry, known: Known, rules: CleanupRules): Decision {
  const { kind, id, deploymentId } = entry;
  const owner = deploymentId === undefined ? undefined : known.byId.get(deploymentId);
  const project = entry.project ?? owner?.project;
  const of = { kind, id, ...(project === undefined ? {} : { project }) };
  switch (kind) {
    case 'container':
      return { ...of, ...decideContainer(entry, known) };
    case 'network':
      return { ...of, ...decideNetwork(project, known) };
    case 'image':
      return { ...of, ...decideImage(id, owner, known) };
    case 'layer':
      return { ...of, ...decideLayer(entry, owner, known, rules) };
  }
}

function decideContainer({ deploymentId }: LedgerEntry, { underWay, kept }: Known): Reason {
  // Without a deployment in its entry nobody can say that it is not wanted.
  if (deploymentId === undefined) return keep('of which deployment is not known');
  if (underWay.has(deploymentId)) return keep('its deployment is worked on');
  return kept.has(deploymentId)
    ? keep(`an instance of ${deploymentId}`)
    : remove(`an instance of ${deploymentId}, which goes or is gone`);
}

/** A deployment that failed runs nothing; one that is deployed again makes the network anew. */
function decideNetwork(project: string | undefined, { running, projects }: Known): Reason {
  if (project === undefined) return keep('of which project is not known');
  if (running.has(project)) return keep(`${project} has deployments that run in it`);
  return remove(
    projects.has(project) ? `no deployment of ${project} can run` : `${project} has no deployments`,
  );
}

function decideImage(id: string, owner: SeenDeployment | undefined, known: Known): Reason {
  if (known.isBuilding) return keep('a build is under way');
  const user = known.runs.get(id);
  if (user !== undefined) return keep(`the image of ${user}`);
  const above = known.standsOn.get(id);
  if (above !== undefined) return keep(`part of the image of ${above}`);
  // A row may be one write behind the ledger: what was built for it is not yet in it.
  if (owner && isWorkedOn(owner, known)) return keep(`built for ${owner.id}, which is worked on`);
  return remove(
    owner?.state === 'failed' ? 'the image of a failed deploy' : 'no deployment runs it',
  );
}

function decideLayer(
  { id, createdAt, usedAt = createdAt }: LedgerEntry,
  owner: SeenDeployment | undefined,
  known: Known,
  { cacheTtlMs, failedTtlMs }: CleanupRules,
): Reason {
  if (known.isBuilding) return keep('a build is under way');
  const above = known.runs.get(id) ?? known.standsOn.get(id);
  if (above !== undefined) return keep(`part of the image of ${above}`);
  if (owner && isWorkedOn(owner, known)) return keep(`built for ${owner.id}, which is worked on`);
  if (!owner || !known.kept.has(owner.id)) return remove('build cache of a removed deployment');
  const ageMs = known.now - usedAt;
  return owner.state === 'failed'
    ? lives('image layers of a failed build', 'used', ageMs, failedTtlMs)
    : lives('build cache', 'used', ageMs, cacheTtlMs);
}

function isWorkedOn({ id, state }: SeenDeployment, { underWay }: Seen): boolean {
  return state === 'building' || state === 'verifying' || underWay.has(id);
}

/** What becomes of a folder of logs or of a build, named after its deployment. */
export function decideFolder(kind: 'logs' | 'build', id: string, known: Known): Decision {
  const project = known.byId.get(id)?.project;
  const what = kind === 'logs' ? 'logs' : 'output of the build';
  const reason =
    known.underWay.has(id) || known.kept.has(id)
      ? keep(`${what} of ${id}`)
      : remove(`${what} of a deployment that goes or is gone`);
  return { kind, id, ...(project === undefined ? {} : { project }), ...reason };
}
