/** The part of a stack's plan that is about the environments of one project: what each runs, and its settings. */
import { isPreview, PRODUCTION, STAGING } from './environment.ts';
import type { DeploymentId, EnvironmentName, Limits } from './model.ts';
import { emptySettings } from './release.ts';
import { environmentKey } from './route.ts';
import { secretNamesOf } from './secret.ts';
import {
  type Change,
  type EnvironmentDeed,
  type Platform,
  runsKey,
  runsText,
  type SeenEnvironment,
  type Stack,
  type Step,
  type WantedEnvironment,
  type WantedProject,
  type WantedRuns,
} from './stack.ts';
import type { Findings } from './stack-plan.ts';

interface Asked {
  readonly stack: Stack;
  readonly platform: Platform;
  readonly prune: boolean;
  readonly project: string;
  readonly wanted: WantedProject;
}

/** What an environment is to run, once that is followed to its end. */
type Base =
  /** `id` is absent while nobody can know it. */
  | { readonly kind: 'new'; readonly id?: DeploymentId; readonly runs: Deployable }
  | { readonly kind: 'there'; readonly id: DeploymentId }
  | { readonly kind: 'none'; readonly because: string };
type Deployable = Extract<WantedRuns, { kind: 'folder' | 'image' }>;

/** Adds what is to be done, removals apart: they come last of all. */
export function planEnvironments(asked: Asked, found: Findings, removals: Step[]): void {
  const { platform, project, prune } = asked;
  const wanted = asked.wanted.environments ?? new Map<EnvironmentName, WantedEnvironment>();
  const seen = platform.projects.get(project)?.environments;
  const deployed = new Set<string>();
  for (const name of inOrder(wanted)) {
    const environment = wanted.get(name);
    if (!environment) continue;
    missingSecrets(asked, name, environment, found);
    planEnvironment(asked, name, environment, found, deployed);
  }
  for (const name of seen?.keys() ?? []) {
    if (wanted.has(name) || isPreview(name) || isNamed(asked, name)) continue;
    if (!prune) found.unlisted.push(`environment ${environmentKey(project, name)}`);
    else removals.push({ kind: 'environment', project, environment: name, ...REMOVED });
  }
}

const REMOVED = { sign: '-', because: 'it is not in the file', changes: [] } as const;

/** Those whose release another one takes come before it. A circle is told by `baseOf`. */
function inOrder(
  wanted: ReadonlyMap<EnvironmentName, WantedEnvironment>,
): ReadonlySet<EnvironmentName> {
  const ordered = new Set<EnvironmentName>();
  const visit = (name: EnvironmentName, trail: readonly EnvironmentName[]): void => {
    if (ordered.has(name) || trail.includes(name)) return;
    const runs = wanted.get(name)?.runs;
    if (runs?.kind === 'environment' && wanted.has(runs.environment)) {
      visit(runs.environment, [...trail, name]);
    }
    ordered.add(name);
  };
  for (const name of wanted.keys()) visit(name, []);
  return ordered;
}

function planEnvironment(
  asked: Asked,
  name: EnvironmentName,
  wanted: WantedEnvironment,
  found: Findings,
  deployed: Set<string>,
): void {
  const { platform, project } = asked;
  const seen = platform.projects.get(project)?.environments.get(name);
  const changes: Change[] = [];
  let runs: Pick<EnvironmentDeed, 'runs' | 'baseId'> = {};
  if (wanted.runs) {
    const base = baseOf(asked, wanted.runs, [name]);
    if (base.kind === 'none') {
      const path = ['projects', project, 'environments', name, 'runs'];
      found.problems.push({ kind: 'other', path, message: base.because });
      return;
    }
    if (base.id === undefined || base.id !== seen?.current?.baseId) {
      runs = { runs: wanted.runs, ...(base.kind === 'there' ? { baseId: base.id } : {}) };
      if (base.kind === 'new') addDeployment(asked, base.runs, found, deployed);
      changes.push(runsChange(wanted.runs, base, seen));
    }
  }
  const settings = settingsDeed(asked, name, wanted, seen, changes, found);
  const environment = { kind: 'environment' as const, project, environment: name };
  if (changes.length === 0) {
    // These two are there without being made.
    if (seen || name === PRODUCTION || name === STAGING) return;
    found.steps.push({ ...environment, sign: '+', because: 'it is not there yet', changes });
    return;
  }
  const deed: EnvironmentDeed = {
    ...runs,
    ...settings,
    seen: seen?.current?.number ?? 0,
  };
  const because =
    seen?.paused === undefined
      ? 'the file says otherwise'
      : `the file says otherwise; ${seen.paused}`;
  const isNew = !seen;
  found.steps.push({
    ...environment,
    deed,
    sign: isNew ? '+' : '~',
    because: isNew ? 'it is not there yet' : because,
    changes,
  });
}

/** Follows `from` to what it comes to. */
function baseOf(asked: Asked, runs: WantedRuns, trail: readonly EnvironmentName[]): Base {
  const { platform, project, wanted } = asked;
  if (runs.kind === 'environment') {
    const { environment } = runs;
    if (trail.includes(environment)) {
      return {
        kind: 'none',
        because: `goes round in a circle: ${[...trail, environment].join(' ← ')}`,
      };
    }
    const next = wanted.environments?.get(environment)?.runs;
    if (next) return baseOf(asked, next, [...trail, environment]);
    const current = platform.projects.get(project)?.environments.get(environment)?.current;
    if (current) return { kind: 'there', id: current.baseId };
    return { kind: 'none', because: `names ${environment}, which runs nothing and is not told to` };
  }
  const known = platform.deployments.get(runsKey(project, runs));
  if (runs.kind === 'deployment') {
    if (known?.isReady) return { kind: 'there', id: known.id };
    const what = known
      ? `${known.id}, which is not ready`
      : `${runs.name}, which is no deployment of ${project}`;
    return { kind: 'none', because: `names ${what}` };
  }
  if (known?.isReady) return { kind: 'there', id: known.id };
  return { kind: 'new', runs, ...(known ? { id: known.id } : {}) };
}

/** The same folder or image once for all environments of the project. */
function addDeployment(
  { project }: Asked,
  runs: Deployable,
  { steps }: Findings,
  deployed: Set<string>,
): void {
  const key = runsKey(project, runs);
  if (deployed.has(key)) return;
  deployed.add(key);
  const because =
    runs.kind === 'folder' ? 'this folder was not deployed so' : 'this image was not deployed so';
  steps.push({ kind: 'deployment', project, runs, sign: '+', because, changes: [] });
}

function runsChange(
  runs: WantedRuns,
  base: Exclude<Base, { kind: 'none' }>,
  seen: SeenEnvironment | undefined,
): Change {
  const id = base.id ?? 'a new deployment';
  const from =
    runs.kind === 'deployment'
      ? ''
      : ` (${runs.kind === 'environment' ? 'what runs in ' : ''}${runsText(runs)})`;
  const before = seen?.current?.baseId;
  if (before === undefined) return { sign: '+', what: `runs ${id}${from}` };
  return { sign: '~', what: `runs ${before} → ${id}${from}` };
}

const LIMIT_NAMES: Readonly<Record<keyof Limits, string>> = {
  maxConcurrentReqs: 'maxConcurrentReqs',
  durationMs: 'duration',
  timeoutMs: 'timeout',
};

/** Variables, limits and scale that differ, each with its line in `changes`. */
function settingsDeed(
  { prune, project }: Asked,
  name: EnvironmentName,
  wanted: WantedEnvironment,
  seen: SeenEnvironment | undefined,
  changes: Change[],
  { unlisted }: Findings,
): Pick<EnvironmentDeed, 'set' | 'unset' | 'limits' | 'scale'> {
  const before = seen?.settings ?? emptySettings;
  const set: [string, string][] = [];
  const unset: string[] = [];
  const limits: { -readonly [Name in keyof Limits]?: number | null } = {};
  for (const [variable, value] of Object.entries(wanted.variables ?? {})) {
    const had = Object.hasOwn(before.variables, variable);
    if (had && before.variables[variable] === value) continue;
    set.push([variable, value]);
    const [secret] = secretNamesOf({ [variable]: value });
    const hint = secret === undefined ? '' : ` (secret ${secret})`;
    changes.push({ sign: had ? '~' : '+', what: `variable ${variable}${hint}` });
  }
  for (const variable of wanted.variables ? Object.keys(before.variables) : []) {
    if (Object.hasOwn(wanted.variables ?? {}, variable)) continue;
    if (prune) {
      unset.push(variable);
      changes.push({ sign: '-', what: `variable ${variable}` });
    } else unlisted.push(`variable ${variable} of ${environmentKey(project, name)}`);
  }
  for (const limit of wanted.limits ? (Object.keys(LIMIT_NAMES) as (keyof Limits)[]) : []) {
    const [to, from] = [wanted.limits?.[limit], before.limits[limit]];
    const word = LIMIT_NAMES[limit];
    if (to === from) continue;
    if (to !== undefined) {
      limits[limit] = to;
      const what = from === undefined ? `limit ${word} ${to}` : `limit ${word} ${from} → ${to}`;
      changes.push({ sign: from === undefined ? '+' : '~', what });
    } else if (prune) {
      limits[limit] = null;
      changes.push({ sign: '-', what: `limit ${word}` });
    } else unlisted.push(`limit ${word} of ${environmentKey(project, name)}`);
  }
  const { scale } = wanted;
  const isScaled = scale && (scale.min !== before.scale?.min || scale.max !== before.scale.max);
  if (isScaled) {
    const to = `${scale.min}–${scale.max}`;
    const what = before.scale
      ? `scale ${before.scale.min}–${before.scale.max} → ${to}`
      : `scale ${to}`;
    changes.push({ sign: before.scale ? '~' : '+', what });
  }
  return { set: Object.fromEntries(set), unset, limits, ...(isScaled ? { scale } : {}) };
}

/** Whether something listed needs it to stay. */
function isNamed({ stack, project, wanted }: Asked, name: EnvironmentName): boolean {
  const isTaken = [...(wanted.environments?.values() ?? [])].some(
    ({ runs }) => runs?.kind === 'environment' && runs.environment === name,
  );
  const led = [...(stack.aliases?.values() ?? [])];
  return (
    isTaken ||
    led.includes(environmentKey(project, name)) ||
    (name === PRODUCTION && led.includes(project))
  );
}

function missingSecrets(
  { platform, project, wanted }: Asked,
  name: EnvironmentName,
  { variables = {} }: WantedEnvironment,
  { problems }: Findings,
): void {
  const team = platform.projects.get(project)?.team ?? wanted.team ?? platform.team;
  const there = platform.secrets.get(team);
  // Whoever carries it out is told by the server, before anything of the environment is changed.
  if (there === 'unknown') return;
  for (const [variable, value] of Object.entries(variables)) {
    const [secret] = secretNamesOf({ [variable]: value });
    if (secret === undefined || there?.has(secret)) continue;
    const path = ['projects', project, 'environments', name, 'variables', variable];
    const message = `names the secret ${secret}, which team ${team} does not have`;
    problems.push({ kind: 'secret', path, message });
  }
}
