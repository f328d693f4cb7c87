/** Releases as values: what one runs, which one a rollback means, what it restores, and how each is told. */
import { isPreview } from './environment.ts';
import { isSameConfiguration } from './identity.ts';
import type {
  Configuration,
  Deployment,
  DeploymentId,
  EnvironmentName,
  EnvironmentSettings,
  Limits,
  Release,
  Scale,
  SecretVersions,
} from './model.ts';

/** An environment that changes nothing of what it runs. */
export const emptySettings: EnvironmentSettings = { variables: {}, limits: {} };

/** The configuration of a base with the settings of an environment laid over it. Scale is no part of it: it belongs to the pointer. */
export function configurationWith(
  base: Configuration,
  { variables, limits }: EnvironmentSettings,
): Configuration {
  return { ...base, env: { ...base.env, ...variables }, limits: { ...base.limits, ...limits } };
}

/** What a release runs: the base itself, when settings and secrets change nothing of it, or a deployment derived from it. */
export type Runs =
  | { readonly kind: 'base' }
  | {
      readonly kind: 'derived';
      readonly configuration: Configuration;
      readonly secrets: SecretVersions;
    };

export function whatRuns(
  base: Pick<Deployment, 'configuration' | 'secrets'>,
  settings: EnvironmentSettings,
  secrets: SecretVersions,
): Runs {
  const configuration = configurationWith(base.configuration, settings);
  const isSame =
    isSameConfiguration(configuration, base.configuration) &&
    isSameVersions(secrets, base.secrets ?? {});
  return isSame ? { kind: 'base' } : { kind: 'derived', configuration, secrets };
}

/** What was deployed, for a deployment that an environment's settings made of it. */
export function baseOf(deployment: Pick<Deployment, 'id' | 'derivedFrom'>): DeploymentId {
  return deployment.derivedFrom ?? deployment.id;
}

/** Which earlier release a rollback means. */
export type RollbackTarget =
  | { readonly kind: 'found'; readonly release: Release }
  /** `because` is a sentence for people. */
  | { readonly kind: 'none'; readonly because: string };

/**
 * One back: the newest before the current one that took traffic and was something else. So rolling back twice is
 * forth again, as a rollback is itself a release.
 *
 * @param history newest first; may hold other states.
 */
export function previousRelease(
  current: Release | undefined,
  history: readonly Release[],
): RollbackTarget {
  if (!current) return { kind: 'none', because: 'Nothing was released yet.' };
  const release = history.find(
    (one) =>
      one.number < current.number && one.state === 'superseded' && !isSameContent(one, current),
  );
  if (release) return { kind: 'found', release };
  return {
    kind: 'none',
    because: `No release before ${versionOf(current)} that took traffic was any different.`,
  };
}

/** Whether a named release can be rolled back to. */
export function rollbackTo(current: Release | undefined, wanted: Release): RollbackTarget {
  const name = versionOf(wanted);
  if (wanted.number === current?.number) return { kind: 'none', because: `${name} is current.` };
  if (wanted.state === 'superseded' && current && isSameContent(wanted, current)) {
    const because = `${name} ran the same as ${versionOf(current)}, which is current.`;
    return { kind: 'none', because };
  }
  if (wanted.state === 'superseded') return { kind: 'found', release: wanted };
  if (wanted.state === 'failed') {
    return { kind: 'none', because: `${name} failed: it never took traffic.` };
  }
  return { kind: 'none', because: `${name} is still under way.` };
}

/** Everything a release decides, for a rollback to take over as one. */
export type Restored = Pick<Release, 'baseId' | 'deploymentId' | 'settings' | 'secrets'>;

export function restores({ baseId, deploymentId, settings, secrets }: Release): Restored {
  return { baseId, deploymentId, settings, secrets };
}

/** Whether two releases run the same in the same way. */
export function isSameContent(a: Restored, b: Restored): boolean {
  return (
    a.baseId === b.baseId &&
    a.deploymentId === b.deploymentId &&
    isSameVersions(a.secrets, b.secrets) &&
    isSameSettings(a.settings, b.settings)
  );
}

function isSameSettings(a: EnvironmentSettings, b: EnvironmentSettings): boolean {
  return (
    isSameRecord(a.variables, b.variables) &&
    isSameRecord(a.limits, b.limits) &&
    a.scale?.min === b.scale?.min &&
    a.scale?.max === b.scale?.max
  );
}

/**
 * How many instances an environment keeps of what it runs. Previews keep none awake unless they were told to: they are
 * many, and rarely looked at.
 */
export function scaleOf(
  environment: EnvironmentName,
  settings: EnvironmentSettings,
  configuration: Pick<Configuration, 'scale'>,
): Scale {
  if (settings.scale) return settings.scale;
  const { min, max } = configuration.scale;
  return { min: isPreview(environment) ? 0 : min, max };
}

/** The scale of a deployment that several environments run: the highest of their minimums and of their maximums. */
export function combinedScale(scales: readonly Scale[]): Scale | undefined {
  if (scales.length === 0) return undefined;
  return {
    min: Math.max(...scales.map(({ min }) => min)),
    max: Math.max(...scales.map(({ max }) => max)),
  };
}

/** How many instances are ready before the switch: as many as the old one has busy, or the minimum, and one to see that it works. */
export function readyBeforeSwitch(busyInstances: number, { min, max }: Scale): number {
  return Math.min(Math.max(1, busyInstances, min), Math.max(1, max));
}

/** `v7`. */
export function versionOf({ number }: Pick<Release, 'number'>): string {
  return `v${number}`;
}

/** `v7` or `7` → 7; undefined when it is no number of a release. */
export function parseVersion(text: string): number | undefined {
  const match = /^v?([1-9]\d{0,8})$/.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** What a release did, in one line, before anybody says why. */
export type Deed =
  | {
      readonly kind: 'deploy' | 'promote';
      readonly baseId: DeploymentId;
      readonly from?: { readonly environment: EnvironmentName; readonly number: number };
    }
  | { readonly kind: 'rollback'; readonly to: number }
  | {
      readonly kind: 'settings';
      readonly from: EnvironmentSettings;
      readonly to: EnvironmentSettings;
    }
  | { readonly kind: 'secrets'; readonly names: readonly string[] };

/** `Deploy shop-1a2b3c4d: mends the cart`. Names of variables, never their values. */
export function describeDeed(deed: Deed, why?: string): string {
  const what = describe(deed);
  return why === undefined || why === '' ? what : `${what}: ${why}`;
}

/** Several deeds of one release; a change of settings that changes none is left out. */
export function describeDeeds(deeds: readonly Deed[], why?: string): string {
  const told = deeds.filter(
    (deed) => deed.kind !== 'settings' || !isSameSettings(deed.from, deed.to),
  );
  const what = told.map(describe).join('; ');
  return why === undefined || why === '' ? what : `${what}: ${why}`;
}

function describe(deed: Deed): string {
  switch (deed.kind) {
    case 'deploy':
    case 'promote': {
      const from = deed.from ? ` from ${deed.from.environment} ${versionOf(deed.from)}` : '';
      return `${deed.kind === 'deploy' ? 'Deploy' : 'Promote'} ${deed.baseId}${from}`;
    }
    case 'rollback':
      return `Rollback to v${deed.to}`;
    case 'secrets':
      return `Take new values of ${deed.names.join(', ')}`;
    case 'settings': {
      const changes = describeSettings(deed.from, deed.to);
      return changes.length > 0 ? changes.join('; ') : 'Change nothing';
    }
  }
}

function describeSettings(from: EnvironmentSettings, to: EnvironmentSettings): readonly string[] {
  const set = changedNames(from.variables, to.variables);
  const removed = Object.keys(from.variables).filter((name) => !Object.hasOwn(to.variables, name));
  const limits = (Object.keys(LIMIT_WORDS) as (keyof Limits)[]).filter(
    (name) => from.limits[name] !== to.limits[name],
  );
  const isScaled = from.scale?.min !== to.scale?.min || from.scale?.max !== to.scale?.max;
  return [
    ...(set.length > 0 ? [`Set ${set.join(', ')}`] : []),
    ...(removed.length > 0 ? [`Remove ${removed.join(', ')}`] : []),
    ...(isScaled ? [to.scale ? `Scale to ${scaleText(to.scale)}` : 'Scale as configured'] : []),
    ...(limits.length > 0 ? [`Limit ${limits.map((name) => limitText(name, to)).join(', ')}`] : []),
  ];
}

/** `1–5 instances`. */
function scaleText({ min, max }: Scale): string {
  const many = min === max ? `${max}` : `${min}–${max}`;
  return `${many} ${max === 1 ? 'instance' : 'instances'}`;
}

const LIMIT_WORDS: Record<keyof Limits, { readonly word: string; readonly isTime: boolean }> = {
  maxConcurrentReqs: { word: 'maxConcurrentReqs', isTime: false },
  durationMs: { word: 'duration', isTime: true },
  timeoutMs: { word: 'timeout', isTime: true },
};

function limitText(name: keyof Limits, { limits }: EnvironmentSettings): string {
  const { word, isTime } = LIMIT_WORDS[name];
  const value = limits[name];
  if (value === undefined) return `${word} as configured`;
  return isTime ? `${word} to ${value / 1_000} s` : `${word} to ${value}`;
}

function changedNames(
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.keys(to).filter((name) => !Object.hasOwn(from, name) || from[name] !== to[name]);
}

function isSameVersions(a: SecretVersions, b: SecretVersions): boolean {
  return isSameRecord(a, b);
}

function isSameRecord(a: object, b: object): boolean {
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = new Map(Object.entries(b).filter(([, value]) => value !== undefined));
  return left.length === right.size && left.every(([name, value]) => right.get(name) === value);
}
