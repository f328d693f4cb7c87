/** What an alias may be called, where it may lead, and whose it is. */
import { projectOfId } from './identity.ts';
import type { Alias, DeploymentId, EnvironmentName } from './model.ts';
import { environmentKey } from './route.ts';

/** A place as people write it: `api.example.com/v1`. */
export type AliasPlace = Pick<Alias, 'hostname' | 'path'>;

const HOSTNAME_CHARS = 253;
const PATH_CHARS = 200;
/** RFC 1123 labels; the first may be the wildcard of RFC 4592. All digits at the end would be an address. */
const HOSTNAME =
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Whole names between slashes, of characters that mean themselves in a URL (RFC 3986, `pchar` without escapes). */
const PATH = /^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+$/;

/**
 * `API.example.com./v1/` → `{ hostname: 'api.example.com', path: '/v1' }`; a string says what is wrong, as the end of
 * a sentence that begins with what was given.
 */
export function parseAlias(text: string): AliasPlace | string {
  const slash = text.indexOf('/');
  const hostname = (slash < 0 ? text : text.slice(0, slash)).toLowerCase().replace(/\.$/, '');
  const path = slash < 0 ? '/' : text.slice(slash).replace(/\/+$/, '') || '/';
  if (hostname.includes(':') || text.includes('//')) {
    return 'is not of the form HOSTNAME or HOSTNAME/PATH: leave out scheme and port';
  }
  if (hostname.length > HOSTNAME_CHARS || !HOSTNAME.test(hostname)) {
    return 'does not begin with a hostname such as www.example.com or *.example.com';
  }
  if (path === '/') return { hostname, path };
  if (path.length > PATH_CHARS || !PATH.test(path) || /\/\.\.?(?:\/|$)/.test(path)) {
    return 'has a path that is not plain: /api or /shop/cart, without dots, escapes and empty names';
  }
  return { hostname, path };
}

/** `api.example.com/v1`, and the hostname alone when it is all of it. */
export function aliasName({ hostname, path }: AliasPlace): string {
  return path === '/' ? hostname : `${hostname}${path}`;
}

/**
 * What is wrong with a wildcard for all names of a top-level domain, as the end of a sentence that begins with it:
 * nobody has all of `com`. Undefined: it is narrow enough.
 */
export function tooWide({ hostname }: Pick<AliasPlace, 'hostname'>): string | undefined {
  const parent = hostname.startsWith('*.') ? hostname.slice(2) : undefined;
  if (parent === undefined || parent.includes('.')) return undefined;
  return `is every name under ${parent}: put a name of your own in between, such as *.example.${parent}`;
}

/** What an alias is looked for by: a deployment, one environment of a project, or all that the project has. */
export type LedTo =
  | { readonly deploymentId: DeploymentId }
  | { readonly project: string; readonly environment?: EnvironmentName };

/** Whether an alias leads to the deployment, to the environment, or anywhere into the project. */
export function leadsInto({ target }: Pick<Alias, 'target'>, to: LedTo): boolean {
  if ('deploymentId' in to) {
    return target.kind === 'deployment' && target.deploymentId === to.deploymentId;
  }
  if (target.kind === 'environment') {
    const isSame = to.environment === undefined || to.environment === target.environment;
    return target.project === to.project && isSame;
  }
  return to.environment === undefined && projectOfId(target.deploymentId) === to.project;
}

/** The project that an alias leads to, there or not. */
export function projectLedTo({ target }: Pick<Alias, 'target'>): string {
  return target.kind === 'environment' ? target.project : projectOfId(target.deploymentId);
}

/** Whether two aliases lead to the same. */
export function isSameTarget(one: Alias['target'], other: Alias['target']): boolean {
  return targetName(one) === targetName(other);
}

/** `shop/production`, or the id of a deployment. */
export function targetName(target: Alias['target']): string {
  return target.kind === 'environment'
    ? environmentKey(target.project, target.environment)
    : target.deploymentId;
}

/** On whose behalf an alias is set. */
export interface Claimant {
  readonly team: string;
  /** Absent: all projects of the team. */
  readonly projects?: readonly string[];
}

/** Who else has a say in a hostname. */
export interface Claims {
  /** What Berth itself leads the hostname to, and whose it is; `platform` is nobody's. */
  readonly given:
    | 'platform'
    | { readonly name: string; readonly team: string; readonly project: string }
    | undefined;
  /** All aliases there are. */
  readonly aliases: readonly Pick<Alias, 'hostname' | 'path' | 'team' | 'target'>[];
}

/**
 * Why somebody may not have this alias, as a sentence; undefined when it may be.
 *
 * | the hostname | all of it | a path of it |
 * |---|---|---|
 * | is the platform's | no | no |
 * | is that of a deployment or environment of the team | no | yes |
 * | is that of another team's | no | no |
 * | is, or is under, or covers an alias of another team | no | no |
 * | otherwise | yes | yes |
 *
 * A team's own aliases are replaced. To somebody who is for some projects of the team only, its other projects are as
 * another team: what leads to them stays. A place that leads to one's own project may always be led elsewhere.
 */
export function refuseAlias(
  place: AliasPlace,
  { team, projects }: Claimant,
  claims: Claims,
): string | undefined {
  const { hostname, path } = place;
  const { given, aliases } = claims;
  const isOutside = (project: string) => projects !== undefined && !projects.includes(project);
  if (given === 'platform') return `${hostname} is a name of the platform.`;
  if (given !== undefined && given.team !== team) return `${hostname} belongs to another team.`;
  if (given !== undefined && path === '/') {
    return `${hostname} always leads to ${given.name}; only a path of it can lead elsewhere.`;
  }
  const near = aliases.filter((one) => overlap(one.hostname, hostname));
  const taken = near.find((one) => one.team !== team);
  if (taken) return `${taken.hostname} belongs to another team.`;
  const standing = near.find((one) => one.hostname === hostname && one.path === path);
  if (standing && !isOutside(projectLedTo(standing))) return undefined;
  if (given !== undefined && isOutside(given.project)) {
    return `${hostname} belongs to another project.`;
  }
  const others = near.find((one) => isOutside(projectLedTo(one)));
  return others && `${others.hostname} belongs to another project.`;
}

/** Whether some request's hostname would fit both. */
function overlap(one: string, other: string): boolean {
  if (one === other) return true;
  return covers(one, other) || covers(other, one);
}

function covers(wildcard: string, hostname: string): boolean {
  return wildcard.startsWith('*.') && hostname.slice(hostname.indexOf('.')) === wildcard.slice(1);
}
