/** What may go: every deployment and every entry of the ledger, to be kept or removed, and why in words. */
import type { Alias, Deployment, DeploymentId, Environment, LedgerEntry } from './model.ts';
import { targetName } from './alias.ts';
import { isPreview } from './environment.ts';
import { decideEntry, decideFolder, index, type Known } from './gc-belongings.ts';
import { keep, lives, type Reason, remove } from './gc-reason.ts';
import { currentReleases, inReach, type SeenRelease } from './reach.ts';
import { environmentKey } from './route.ts';
import { allSteps, eachInSteps, type Steps } from './steps.ts';

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

/** What decides about a deployment: of ten thousand no more than that is held at once. */
export type SeenDeployment = Pick<
  Deployment,
  'id' | 'project' | 'state' | 'createdAt' | 'readyAt' | 'derivedFrom'
> & { readonly image?: { readonly id: string } };

/** Everything that was seen, at one moment. */
export interface Seen {
  /** ms since the epoch. */
  readonly now: number;
  readonly deployments: readonly SeenDeployment[];
  readonly environments: readonly Pick<Environment, 'project' | 'name' | 'current' | 'createdAt'>[];
  readonly releases: readonly SeenRelease[];
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

type Decided = Map<DeploymentId, Decision>;

function* keepAll({ deployments }: Seen): Steps<Decided> {
  const decided: Decided = new Map();
  yield* eachInSteps(deployments, ({ id, project }) => {
    decided.set(id, { kind: 'deployment', id, project, ...keep('it is not asked for') });
  });
  return decided;
}

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
  { id, state, createdAt, readyAt = createdAt }: SeenDeployment,
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

function namedByAliases(
  { aliases }: Seen,
  current: ReadonlyMap<string, SeenRelease>,
): ReadonlyMap<DeploymentId, string> {
  const named = new Map<DeploymentId, string>();
  for (const { hostname, path, target } of aliases) {
    const id =
      target.kind === 'deployment'
        ? target.deploymentId
        : current.get(environmentKey(target.project, target.environment))?.deploymentId;
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
    if (state === 'preparing' || state === 'trial') busy.add(environmentKey(project, environment));
  }
  for (const { target } of aliases) {
    if (target.kind === 'environment') busy.add(targetName(target));
  }
  return environments
    .filter(({ name }) => isPreview(name))
    .map(({ project, name, createdAt }) => {
      const id = environmentKey(project, name);
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
function keepBases(
  deployments: readonly SeenDeployment[],
  decided: Map<DeploymentId, Decision>,
): void {
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
