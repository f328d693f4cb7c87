/** Where a request belongs: host and path → the platform, a deployment, or nothing known. */
import type { DeploymentId } from './model.ts';

/** What a hostname (and, once aliases have them, a path prefix) leads to. */
export type RouteTarget =
  | { readonly kind: 'platform' }
  | { readonly kind: 'deployment'; readonly deploymentId: DeploymentId };

export type Route = RouteTarget | { readonly kind: 'unknown'; readonly host: string };

/** A `Host` header taken apart. */
export interface HostAndPort {
  /** Lower case, without port and without a trailing dot; an IPv6 literal keeps its brackets. */
  readonly host: string;
  /** As sent; absent when the header names none. */
  readonly port?: number;
}

/** One place under a hostname. The longest prefix that fits the path wins. */
interface Place {
  /** `/` for the whole host. */
  readonly prefix: string;
  readonly target: RouteTarget;
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

/** Every hostname Berth answers to. Looking up costs the same with ten deployments and with ten thousand. */
export class RouteTable {
  /** `berth.<domain>`: where links to the platform point. */
  readonly platformHost: string;
  readonly #domain: string;
  readonly #places = new Map<string, readonly Place[]>();

  constructor(options: RouteTableOptions) {
    this.#domain = canonical(options.domain);
    this.platformHost = `berth.${this.#domain}`;
    for (const name of [this.platformHost, ...LOCAL_NAMES, ...(options.platformHosts ?? [])]) {
      this.add(name, PLATFORM);
    }
  }

  /** The hostname of a deployment's own, immutable URL. */
  hostOf(deploymentId: DeploymentId): string {
    return `${deploymentId}.${this.#domain}`;
  }

  /** Makes a deployment answer at its own hostname. Doing it again changes nothing. */
  addDeployment(deploymentId: DeploymentId): void {
    this.add(this.hostOf(deploymentId), { kind: 'deployment', deploymentId });
  }

  /** Removes the deployment's own hostname; names added by hand stay. */
  removeDeployment(deploymentId: DeploymentId): void {
    this.remove(this.hostOf(deploymentId));
  }

  /** Points a hostname at a target, replacing what was there. A name of the platform keeps leading to it. */
  add(hostname: string, target: RouteTarget): void {
    const name = canonical(hostname);
    if (this.#places.get(name)?.[0]?.target.kind === 'platform') return;
    this.#places.set(name, [{ prefix: '/', target }]);
  }

  /** Forgets a hostname. Unknown names and names of the platform are left as they are. */
  remove(hostname: string): void {
    const name = canonical(hostname);
    if (this.#places.get(name)?.[0]?.target.kind === 'platform') return;
    this.#places.delete(name);
  }

  /** Where a request for `host` (as `parseHost` gives it) and `path` belongs. */
  resolve(host: string, path: string): Route {
    const places = this.#places.get(host);
    if (places !== undefined) {
      for (const place of places) {
        if (place.prefix === '/' || isUnder(path, place.prefix)) return place.target;
      }
    }
    return { kind: 'unknown', host };
  }
}

function canonical(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}

function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  const next = path[prefix.length];
  return next === undefined || next === '/' || next === '?';
}
