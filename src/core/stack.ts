/** A stack: what a platform is wanted to be, what it is seen to be, and the steps from the one to the other, as values. */
import type { DeploymentId, EnvironmentName, EnvironmentSettings, Limits, Scale } from './model.ts';
import { environmentKey } from './route.ts';

/** What an environment is to run. */
export type WantedRuns =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'deployment'; readonly name: string }
  /** Whatever this other environment of the project runs. */
  | { readonly kind: 'environment'; readonly environment: EnvironmentName };

/** What is absent is not looked at. */
export interface WantedEnvironment {
  readonly runs?: WantedRuns;
  /** As they are kept: `@name` names a secret. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  readonly scale?: Scale;
}

export interface WantedProject {
  readonly team?: string;
  readonly environments?: ReadonlyMap<EnvironmentName, WantedEnvironment>;
}

export interface Stack {
  readonly teams: ReadonlyMap<string, { readonly plan?: string }>;
  readonly projects: ReadonlyMap<string, WantedProject>;
  /** `www.example.com/api` → `shop`, `shop/staging`, or the id of a deployment. */
  readonly aliases?: ReadonlyMap<string, string>;
}

export interface SeenEnvironment {
  /** Absent: nothing was released there. */
  readonly current?: { readonly number: number; readonly baseId: DeploymentId };
  readonly settings: EnvironmentSettings;
  /** Why automatic deploys wait. */
  readonly paused?: string;
}

export interface SeenProject {
  readonly team: string;
  readonly environments: ReadonlyMap<EnvironmentName, SeenEnvironment>;
}

/** What was looked at of a platform, as much as a stack needs. */
export interface Platform {
  readonly teams: ReadonlyMap<string, { readonly plan: string }>;
  readonly projects: ReadonlyMap<string, SeenProject>;
  /** Where each leads: `shop/production`, or the id of a deployment; and whose project that is. */
  readonly aliases: ReadonlyMap<string, { readonly target: string; readonly project: string }>;
  /** Names of the secrets of each team; unknown to a token for some of its projects only. */
  readonly secrets: ReadonlyMap<string, ReadonlySet<string> | 'unknown'>;
  /** What folders, images and names of deployments stand for, by `runsKey`. Absent: not there yet. */
  readonly deployments: ReadonlyMap<
    string,
    { readonly id: DeploymentId; readonly isReady: boolean }
  >;
  readonly deploymentIds: ReadonlySet<DeploymentId>;
  /** The team that a new project belongs to unless another is named. */
  readonly team: string;
}

/** One line below a step. Names of variables, never their values. */
export interface Change {
  readonly sign: '+' | '~' | '-';
  readonly what: string;
}

/** What becomes of an environment, all in one release. */
export interface EnvironmentDeed {
  readonly runs?: WantedRuns;
  /** What that stood for when the plan was made. Absent: it has to be deployed first. */
  readonly baseId?: DeploymentId;
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** Null: what the deployment's own configuration says. */
  readonly limits: Readonly<Partial<Record<keyof Limits, number | null>>>;
  readonly scale?: Scale;
  /** The current release when the plan was made, 0 for none. */
  readonly seen: number;
}

type What =
  | { readonly kind: 'team'; readonly team: string; readonly plan?: string }
  | { readonly kind: 'project'; readonly project: string; readonly team?: string }
  | {
      readonly kind: 'deployment';
      readonly project: string;
      readonly runs: Extract<WantedRuns, { kind: 'folder' | 'image' }>;
    }
  | {
      readonly kind: 'environment';
      readonly project: string;
      readonly environment: EnvironmentName;
      /** Absent: it is only made, or removed. */
      readonly deed?: EnvironmentDeed;
    }
  | { readonly kind: 'alias'; readonly alias: string; readonly target: string };

/** One thing to do. `+` makes it, `~` changes it, `-` removes it. */
export type Step = What & {
  readonly sign: Change['sign'];
  readonly because: string;
  readonly changes: readonly Change[];
};

/** Why a stack cannot be reached, and where in the file that stands. */
export interface StackProblem {
  readonly kind: 'secret' | 'other';
  readonly path: readonly string[];
  /** The end of a sentence that begins with the path. */
  readonly message: string;
}

export interface StackPlan {
  /** In this order. Empty: everything is as the file says. */
  readonly steps: readonly Step[];
  /** With any of them nothing may be done. */
  readonly problems: readonly StackProblem[];
  /** What is there, is not in the file and stays: `--prune` would remove it. */
  readonly unlisted: readonly string[];
}

/** The key under which `Platform.deployments` has what something to run stands for. */
export function runsKey(project: string, runs: WantedRuns): string {
  return `${project} ${runs.kind} ${runsText(runs)}`;
}

/** `./shop`, `docker.io/library/nginx:1`, `shop-1a2b3c4d`, `staging`. */
export function runsText(runs: WantedRuns): string {
  switch (runs.kind) {
    case 'folder':
      return runs.folder;
    case 'image':
      return runs.reference;
    case 'deployment':
      return runs.name;
    case 'environment':
      return runs.environment;
  }
}

/** `environment shop/production`: what a step is about. */
export function stepSubject(step: Step): string {
  switch (step.kind) {
    case 'team':
      return `team ${step.team}`;
    case 'project':
      return `project ${step.project}`;
    case 'deployment':
      return `deployment of ${step.project} from ${runsText(step.runs)}`;
    case 'environment':
      return `environment ${environmentKey(step.project, step.environment)}`;
    case 'alias':
      return `alias ${step.alias} → ${step.target}`;
  }
}
