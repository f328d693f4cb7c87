/** What may go: every deployment and every entry of the ledger, to be kept or removed, and why in words. */
import type {
  Alias,
  Deployment,
  DeploymentId,
  Environment,
  LedgerEntry,
  Release,
} from './model.ts';
import { isPreview } from './environment.ts';
import { currentReleases, inReach } from './reach.ts';
import { allSteps, eachInSteps, type Steps } from './steps.ts';
import { spanInWords } from './words.ts';

/** For how long what nobody names stays; times in ms. */
export interface CleanupRules {
  /** Releases of each environment that stay within reach of a rollback, the current one included. */
  readonly keepReleases: number;
  /** What took traffic in production within this time stays as well. */
  readonly keepProductionMs: number;
  /** A deployment that no release in reach and no alias names lives so long after its last request. */
  readonly previewTtlMs: number;
  /** A failed deploy, its output and the layers it left. */
  readonly failedTtlMs: number;
  /** Layers that speed up the next build, after the last build that used them. */
  readonly cacheTtlMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export const DEFAULT_RULES: CleanupRules = {
  keepReleases: 20,
  keepProductionMs: 30 * DAY_MS,
  previewTtlMs: 7 * DAY_MS,
  failedTtlMs: 3 * DAY_MS,
  cacheTtlMs: 7 * DAY_MS,
};

/** The same rules where room is wanted now: what only saves time or explains an old failure does not wait. */
export function pressing(rules: CleanupRules): CleanupRules {
  return { ...rules, failedTtlMs: 0, cacheTtlMs: 0 };
}

/** What an image stands on: only those of the engine that are named in the ledger are ever asked for. */
export interface ImageParent {
  readonly id: string;
  readonly parentId?: string;
}

/** Everything that was seen, at one moment. */
export interface Seen {
  /** ms since the epoch. */
  readonly now: number;
  readonly deployments: readonly Deployment[];
  readonly environments: readonly Environment[];
  readonly releases: readonly Release[];
  readonly aliases: readonly Alias[];
  /** Deployments with an instance that runs or holds a lease. */
  readonly awake: ReadonlySet<DeploymentId>;
  /** Deployments that are worked on right now: deployed, removed, prepared for a release. */
  readonly underWay: ReadonlySet<DeploymentId>;
  /** Some build runs: it may be about to use any image or layer. */
  readonly isBuilding: boolean;
  /** ms since the epoch. */
  readonly lastRequestAt: ReadonlyMap<DeploymentId, number>;
  readonly ledger: readonly LedgerEntry[];
  /** Of every image the engine has. */
  readonly images: readonly ImageParent[];
  /** Names of folders of logs and of builds: a deployment's id each. */
  readonly logs: readonly string[];
  readonly builds: readonly string[];
}

export type DecisionKind = 'environment' | 'deployment' | LedgerEntry['kind'] | 'logs' | 'build';

/** What becomes of one thing. */
export interface Decision {
  readonly kind: DecisionKind;
  /** `shop/preview/cart`, the id of the deployment or of the ledger's entry, or the name of the folder. */
  readonly id: string;
  readonly project?: string;
  readonly verdict: 'keep' | 'remove';
  readonly because: string;
}

/** Deployments first, then what only they used. Nothing is in it that neither a row, the ledger nor our own folders name. */
export function* decideInSteps(
  seen: Seen,
  rules: CleanupRules,
  /** Only what no deployment needs is asked for: every row keeps what is its own, even one whose time is over. */
  scope: 'all' | 'deployments stay' = 'all',
): Steps<readonly Decision[]> {
  const decided = scope === 'all' ? yield* decideDeployments(seen, rules) : yield* keepAll(seen);
  const known = yield* index(seen, decided);
  const environments = scope === 'all' ? decideEnvironments(seen, known, rules) : [];
  const entries = yield* eachInSteps(seen.ledger, (entry) => decideEntry(entry, known, rules));
  const logs = yield* eachInSteps(seen.logs, (id) => decideFolder('logs', id, known));
  const builds = yield* eachInSteps(seen.builds, (id) => decideFolder('build', id, known));
  return [...environments, ...decided.values(), ...entries, ...logs, ...builds];
}

/** The same at once. */
export function decide(...asked: Parameters<typeof decideInSteps>): readonly Decision[] {
  return allSteps(decideInSteps(...asked));
}

/** What was seen, by the names under which it is asked for: ten thousand deployments must not be searched for each of them. */
interface Known extends Seen {
  readonly byId: ReadonlyMap<DeploymentId, Deployment>;
  readonly kept: ReadonlySet<DeploymentId>;
  /** Projects with a deployment that is kept and runs, may run, or is worked on; and projects with any at all. */
  readonly running: ReadonlySet<string>;
  readonly projects: ReadonlySet<string>;
  /** Image → the deployment that is kept and runs it, or an image that stands on it. */
  readonly runs: ReadonlyMap<string, DeploymentId>;
  readonly standsOn: ReadonlyMap<string, DeploymentId>;
}

function* index(seen: Seen, decided: ReadonlyMap<DeploymentId, Decision>): Steps<Known> {
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

type Decided = Map<DeploymentId, Decision>;

function* keepAll({ deployments }: Seen): Steps<Decided> {
  const decided: Decided = new Map();
  yield* eachInSteps(deployments, ({ id, project }) => {
    decided.set(id, { kind: 'deployment', id, project, ...keep('it is not asked for') });
  });
  return decided;
}

type Reason = Pick<Decision, 'verdict' | 'because'>;

function* decideDeployments(seen: Seen, rules: CleanupRules): Steps<Decided> {
  const current = currentReleases(seen.releases);
  const named = new Map([...namedByAliases(seen, current), ...(yield* inReach(seen, rules))]);
  const previews = new Map<DeploymentId, string>();
  for (const { deploymentId, environment } of current.values()) {
    if (isPreview(environment)) previews.set(deploymentId, environment);
  }
  const decided: Decided = new Map();
  yield* eachInSteps(seen.deployments, (deployment) => {
    const { id, project } = deployment;
    const preview = previews.get(id) ?? 'preview';
    const reason = decideDeployment(deployment, named.get(id), preview, seen, rules);
    decided.set(id, { kind: 'deployment', id, project, ...reason });
  });
  yield undefined;
  keepBases(seen.deployments, decided);
  return decided;
}

/**
 * The first that fits:
 *
 * | what | becomes |
 * |---|---|
 * | built, verified, prepared or removed right now | kept |
 * | run by a release in reach, or named by an alias | kept |
 * | an instance runs or holds a lease | kept |
 * | failed | kept for `failedTtlMs` |
 * | the rest: previews | kept for `previewTtlMs` after the last request |
 */
function decideDeployment(
  { id, state, createdAt, readyAt = createdAt }: Deployment,
  namedBecause: string | undefined,
  preview: string,
  { now, underWay, awake, lastRequestAt }: Seen,
  rules: CleanupRules,
): Reason {
  if (state === 'building' || state === 'verifying') return keep(`it is ${state}`);
  if (underWay.has(id)) return keep('it is worked on');
  if (namedBecause !== undefined) return keep(namedBecause);
  if (awake.has(id)) return keep('it is awake');
  if (state === 'failed') {
    return lives('failed deploy', 'created', now - createdAt, rules.failedTtlMs);
  }
  const lastRequest = lastRequestAt.get(id);
  const isAsked = lastRequest !== undefined && lastRequest >= readyAt;
  return isAsked
    ? lives(preview, 'last request', now - lastRequest, rules.previewTtlMs)
    : lives(preview, 'no request since it was made', now - readyAt, rules.previewTtlMs);
}

/** `preview, last request 9 days ago, lives 7 days`. */
function lives(what: string, since: string, ageMs: number, ttlMs: number): Reason {
  const age = since.startsWith('no ') ? spanInWords(ageMs) : `${spanInWords(ageMs)} ago`;
  const limit = ttlMs === Number.POSITIVE_INFINITY ? 'for ever' : spanInWords(ttlMs);
  const because = `${what}, ${since} ${age}, lives ${limit}`;
  return { verdict: ageMs > ttlMs ? 'remove' : 'keep', because };
}

function namedByAliases(
  { aliases }: Seen,
  current: ReadonlyMap<string, Release>,
): ReadonlyMap<DeploymentId, string> {
  const named = new Map<DeploymentId, string>();
  for (const { hostname, path, target } of aliases) {
    const id =
      target.kind === 'deployment'
        ? target.deploymentId
        : current.get(`${target.project}/${target.environment}`)?.deploymentId;
    if (id !== undefined) named.set(id, `aliased by ${hostname}${path === '/' ? '' : path}`);
  }
  return named;
}

/** A preview of a branch goes with what it runs. The others stay until somebody removes them, and are not in it. */
function decideEnvironments(
  { environments, releases, aliases, now }: Seen,
  { kept }: Known,
  { previewTtlMs }: CleanupRules,
): readonly Decision[] {
  const current = currentReleases(releases);
  const busy = new Set<string>();
  for (const { project, environment, state } of releases) {
    if (state === 'preparing' || state === 'trial') busy.add(`${project}/${environment}`);
  }
  for (const { target } of aliases) {
    if (target.kind === 'environment') busy.add(`${target.project}/${target.environment}`);
  }
  return environments
    .filter(({ name }) => isPreview(name))
    .map(({ project, name, createdAt }) => {
      const id = `${project}/${name}`;
      const runs = current.get(id)?.deploymentId;
      let reason = lives('nothing was released to it', 'made', now - createdAt, previewTtlMs);
      if (busy.has(id)) reason = keep('a release is on its way, or an alias leads to it');
      else if (runs !== undefined) {
        reason = kept.has(runs) ? keep(`it runs ${runs}`) : remove(`what it runs goes: ${runs}`);
      }
      return { kind: 'environment', id, project, ...reason };
    });
}

/** Whoever is kept keeps the deployment whose image it runs, and so on to the first. */
function keepBases(deployments: readonly Deployment[], decided: Map<DeploymentId, Decision>): void {
  const byId = new Map(deployments.map((deployment) => [deployment.id, deployment]));
  for (const { id } of deployments) {
    let above = byId.get(id);
    while (above?.derivedFrom !== undefined && decided.get(above.id)?.verdict === 'keep') {
      const base = decided.get(above.derivedFrom);
      if (!base || base.verdict === 'keep') break;
      const because = `${above.id} runs its image with other settings`;
      decided.set(base.id, { ...base, verdict: 'keep', because });
      above = byId.get(base.id);
    }
  }
}

function decideEntry(entry: LedgerEntry, known: Known, rules: CleanupRules): Decision {
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

function keep(because: string): Reason {
  return { verdict: 'keep', because };
}

function remove(because: string): Reason {
  return { verdict: 'remove', because };
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

function decideImage(id: string, owner: Deployment | undefined, known: Known): Reason {
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
  owner: Deployment | undefined,
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

function isWorkedOn({ id, state }: Deployment, { underWay }: Seen): boolean {
  return state === 'building' || state === 'verifying' || underWay.has(id);
}

function decideFolder(kind: 'logs' | 'build', id: string, known: Known): Decision {
  const project = known.byId.get(id)?.project;
  const what = kind === 'logs' ? 'logs' : 'output of the build';
  const reason =
    known.underWay.has(id) || known.kept.has(id)
      ? keep(`${what} of ${id}`)
      : remove(`${what} of a deployment that goes or is gone`);
  return { kind, id, ...(project === undefined ? {} : { project }), ...reason };
}
