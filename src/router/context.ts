/** What every part of the router works with; made once by `createRouter`. */
import type { AppProtocol, DeploymentId } from '../core/model.ts';
import type { WakeRules } from '../core/wake.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Absences } from './absences.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { Deadlines } from './deadlines.ts';
import type { RouterLimits } from './limits.ts';
import type { Losses } from './losses.ts';
import type { Splice } from './splice.ts';
import type { Upstreams } from './upstream.ts';

export interface RouterContext {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly limits: RouterLimits;
  readonly version: string;
  readonly deadlines: Deadlines;
  readonly losses: Losses;
  readonly absences: Absences;
  readonly upstreams: Upstreams;
  /** WebSockets under way. */
  readonly splices: Set<Splice>;
  readonly buffers: BufferBudget;
  /** `limits.duration` of a deployment, in ms. */
  readonly durationMs: (deploymentId: DeploymentId) => number;
  /** What the app of a deployment speaks. */
  readonly protocol: (deploymentId: DeploymentId) => AppProtocol;
  /** Which requests may wake a deployment; undefined: all. */
  readonly wakeRules: (deploymentId: DeploymentId) => WakeRules | undefined;
  /** For `strict-transport-security`, in seconds; undefined: not sent. */
  readonly hstsSeconds: number | undefined;
  /** True from the begin of `close()`: answers say `Connection: close`. */
  isClosing: boolean;
}

/** One request, as far as it is known before it is sent anywhere. */
export interface RequestContext {
  readonly id: string;
  /** When it arrived, ms since the epoch. */
  readonly at: number;
  /** It comes from one of `RouterOptions.trustedProxies`. */
  readonly isTrusted: boolean;
  /** How the client came; what a trusted proxy says counts. */
  readonly proto: 'http' | 'https';
  /** As sent. */
  readonly host: string;
  /** Origin form, or `*`. */
  readonly path: string;
  /** Where the platform answers, seen from this client. */
  readonly platformOrigin: string;
  /** `shop/production`, when an environment was asked for. */
  environment: string | undefined;
  /** By which the client keeps its side while a release is on trial. */
  setCookie: string | undefined;
}
