/** Where a request belongs: host and path → the platform, a deployment, or nothing known. */
import { environmentLabel } from './environment.ts';
import type { Alias, DeploymentId, EnvironmentName } from './model.ts';

/** The share of an environment's clients that is sent to a release on trial. */
export interface Trial {
  readonly deploymentId: DeploymentId;
  /** 0–100. */
  readonly percent: number;
}

/** What an environment runs now. */
export interface Pointer {
  readonly deploymentId: DeploymentId;
  /** Absent: everybody gets the same. */
  readonly trial?: Trial;
}

/** What a hostname and a path lead to. */
export type RouteTarget = { readonly kind: 'platform' } | DeploymentTarget;

export interface DeploymentTarget extends Pointer {
  readonly kind: 'deployment';
  /** `shop/production`, when it is the environment that was asked for and not the deployment itself. */
  readonly environment?: string;
}

export type Route = RouteTarget | { readonly kind: 'unknown'; readonly host: string };

/** A `Host` header taken apart. */
export interface HostAndPort {
  /** Lower case, without port and without a trailing dot; an IPv6 literal keeps its brackets. */
  readonly host: string;
  /** As sent; absent when the header names none. */
  readonly port?: number;
}

/** Where a place leads: to a target for good, or to whatever an environment points at. */
type Leads =
  | { readonly kind: 'target'; readonly target: RouteTarget }
  | { readonly kind: 'environment'; readonly key: string };

/** One place under a hostname. */
interface Place {
  /** `/` for the whole host. */
  readonly path: string;
  readonly leads: Leads;
}

const PLATFORM: RouteTarget = { kind: 'platform' };
/** Names the machine itself has; they always lead to the platform. */
const LOCAL_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
const HOST_CHARS = 255;
/** A hostname or IPv4 address, or an IPv6 literal in brackets; then perhaps a port (RFC 9110 7.2 allows an empty one). */
const HOST_FORM = /^([a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::(\d{0,5}))?$/i;

/** Takes a `Host` header apart; undefined when it is not of the form that RFC 9110 allows. */
export function parseHost(header: string): HostAndPort | undefined {
  if (header.length > HOST_CHARS) return undefined;
  const match = HOST_FORM.exec(header);
  if (!match) return undefined;
  const name = (match[1] ?? '').toLowerCase();
  const host = name.endsWith('.') ? name.slice(0, -1) : name;
  if (!match[2]) return { host };
  const port = Number(match[2]);
  return port <= 65_535 ? { host, port } : undefined;
}

export interface RouteTableOptions {
  /** Deployments answer at `<deployment id>.<domain>`, the platform at `berth.<domain>`. */
  readonly domain: string;
  /** Further names of the platform. */
  readonly platformHosts?: readonly string[];
}

/** The own name of an environment over all projects: `shop/production`. */
export function environmentKey(project: string, environment: EnvironmentName): string {
  return `${project}/${environment}`;
}

/**
 * Every hostname Berth answers to. Looking up costs the same with ten deployments and with ten thousand.
 *
 * Of a hostname that leads to several places the longest path that fits wins. A hostname of its own comes before a
 * wildcard; names that Berth gives (the platform's, a deployment's, an environment's) come before aliases.
 */
export class RouteTable {
  /** `berth.<domain>`: where links to the platform point. */
  readonly platformHost: string;
  readonly #domain: string;
  /** Names that Berth gives. */
  readonly #given = new Map<string, Leads>();
  /** Hostname, or `*.<parent>` → its places, longest path first. */
  readonly #aliases = new Map<string, readonly Place[]>();
  /** What each environment runs, ready to be handed out. */
  readonly #pointers = new Map<string, RouteTarget>();

  constructor(options: RouteTableOptions) {
    this.#domain = canonical(options.domain);
    this.platformHost = `berth.${this.#domain}`;
    for (const name of [this.platformHost, ...LOCAL_NAMES, ...(options.platformHosts ?? [])]) {
      this.#given.set(canonical(name), { kind: 'target', target: PLATFORM });
    }
  }

  /** The hostname of a deployment's own, immutable URL. */
  hostOf(deploymentId: DeploymentId): string {
    return `${deploymentId}.${this.#domain}`;
  }

  /** The hostname that Berth gives an environment. */
  hostOfEnvironment(project: string, environment: EnvironmentName): string {
    return `${environmentLabel(project, environment)}.${this.#domain}`;
  }

  /** Makes a deployment answer at its own hostname. Doing it again changes nothing. */
  addDeployment(deploymentId: DeploymentId): void {
    const target: RouteTarget = { kind: 'deployment', deploymentId };
    this.#give(this.hostOf(deploymentId), { kind: 'target', target });
  }

  /** Removes the deployment's own hostname; aliases of it are the caller's. */
  removeDeployment(deploymentId: DeploymentId): void {
    this.#take(this.hostOf(deploymentId));
  }

  /** Moves the pointer of an environment, for all its hostnames at once; it answers at its own one from the first time on. */
  point(project: string, environment: EnvironmentName, pointer: Pointer): void {
    const key = environmentKey(project, environment);
    this.#pointers.set(key, { kind: 'deployment', environment: key, ...pointer });
    this.#give(this.hostOfEnvironment(project, environment), { kind: 'environment', key });
  }

  /** What an environment runs; undefined before its first release. */
  pointer(project: string, environment: EnvironmentName): Pointer | undefined {
    const target = this.#pointers.get(environmentKey(project, environment));
    return target?.kind === 'deployment' ? target : undefined;
  }

  /** The environment is gone: neither its own hostname nor an alias leads to it. */
  removeEnvironment(project: string, environment: EnvironmentName): void {
    const key = environmentKey(project, environment);
    this.#pointers.delete(key);
    const hostname = this.hostOfEnvironment(project, environment);
    const given = this.givenTo(hostname);
    if (given !== 'platform' && given?.name === key) this.#take(hostname);
  }

  /** Points a hostname, or a path of it, somewhere, replacing what that alias was before. */
  setAlias({ hostname, path, target }: Pick<Alias, 'hostname' | 'path' | 'target'>): void {
    const leads: Leads =
      target.kind === 'environment'
        ? { kind: 'environment', key: environmentKey(target.project, target.environment) }
        : { kind: 'target', target: { kind: 'deployment', deploymentId: target.deploymentId } };
    const name = canonical(hostname);
    const others = (this.#aliases.get(name) ?? []).filter((place) => place.path !== path);
    const places = [...others, { path, leads }];
    this.#aliases.set(
      name,
      places.toSorted((one, other) => other.path.length - one.path.length),
    );
  }

  /** The aliases of just this hostname: the path of each, and the project it leads to. */
  aliasesAt(hostname: string): readonly { readonly path: string; readonly project: string }[] {
    const places = this.#aliases.get(canonical(hostname)) ?? [];
    return places.map(({ path, leads }) => ({ path, project: projectOf(leads) }));
  }

  /** Forgets an alias; unknown ones too. */
  removeAlias(hostname: string, path: string): void {
    const name = canonical(hostname);
    const left = (this.#aliases.get(name) ?? []).filter((place) => place.path !== path);
    if (left.length > 0) this.#aliases.set(name, left);
    else this.#aliases.delete(name);
  }

  /** What Berth itself leads this hostname to, whatever aliases say: the platform, a deployment, or `shop/production`. */
  givenTo(hostname: string): 'platform' | { readonly name: string } | undefined {
    const leads = this.#given.get(canonical(hostname));
    if (leads === undefined) return undefined;
    if (leads.kind === 'environment') return { name: leads.key };
    return leads.target.kind === 'platform' ? 'platform' : { name: leads.target.deploymentId };
  }

  /** Whether anything answers at this hostname, at whatever path. */
  knows(hostname: string): boolean {
    const name = canonical(hostname);
    return this.#given.has(name) || this.#aliases.has(name) || this.#aliases.has(wildcard(name));
  }

  /** Where a request for `host` (as `parseHost` gives it) and `path` belongs. */
  resolve(host: string, path: string): Route {
    const given = this.#given.get(host);
    const leads =
      // A path of a given name may belong to something else; most names have no aliases at all.
      longestFit(this.#aliases.get(host), path, given === undefined ? 0 : 1) ??
      given ??
      longestFit(this.#aliases.get(wildcard(host)), path, 0);
    const target = leads?.kind === 'environment' ? this.#pointers.get(leads.key) : leads?.target;
    return target ?? { kind: 'unknown', host };
  }

  #give(hostname: string, leads: Leads): void {
    const name = canonical(hostname);
    const standing = this.#given.get(name);
    // A project may be called like somebody else's deployment: its production then has to do with an alias.
    if (standing?.kind === 'target' && leads.kind === 'environment') return;
    if (this.givenTo(name) !== 'platform') this.#given.set(name, leads);
  }

  #take(hostname: string): void {
    if (this.givenTo(hostname) !== 'platform') this.#given.delete(canonical(hostname));
  }
}

/** Ids are the project's name, a hyphen and eight characters. */
function projectOf(leads: Leads): string {
  if (leads.kind === 'environment') return leads.key.slice(0, leads.key.indexOf('/'));
  return leads.target.kind === 'deployment' ? leads.target.deploymentId.replace(/-[^-]*$/, '') : '';
}

/** Of places in order, longest path first: the first that fits and is longer than `over` characters. */
function longestFit(
  places: readonly Place[] | undefined,
  path: string,
  over: number,
): Leads | undefined {
  if (places === undefined) return undefined;
  for (const place of places) {
    if (place.path.length <= over) return undefined;
    if (place.path === '/' || isUnder(path, place.path)) return place.leads;
  }
  return undefined;
}

/** `*.example.com` for `api.example.com`. */
function wildcard(host: string): string {
  const dot = host.indexOf('.');
  return dot < 0 ? '' : `*${host.slice(dot)}`;
}

function canonical(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}

function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  const next = path[prefix.length];
  return next === undefined || next === '/' || next === '?';
}
