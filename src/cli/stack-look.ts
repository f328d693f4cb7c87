/** Looks at a platform as far as a stack is about it, and plans from one to the other; nothing is changed. */
import type { FoundStack } from '../config/read-stack.ts';
import { formatPath, problemAt } from '../config/place.ts';
import { PRODUCTION, STAGING } from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import { projectOfId } from '../core/identity.ts';
import type { Limits } from '../core/model.ts';
import { secretNamesOf } from '../core/secret.ts';
import {
  type Platform,
  runsKey,
  type SeenEnvironment,
  type SeenProject,
  type StackPlan,
  type StackProblem,
  type WantedEnvironment,
  type WantedProject,
  type WantedRuns,
} from '../core/stack.ts';
import { planStack } from '../core/stack-plan.ts';
import type {
  Alias,
  Client,
  DeployBody,
  Environment,
  IdentifyBody,
  Identity,
} from '../client/client.ts';
import { leadsTo, nameOf } from './alias-ls.ts';
import { canReadHeredocs } from './deploy.ts';
import { type DeployRequest, readRequest } from './deploy-request.ts';
import type { Context } from './context.ts';
import { locateSecrets } from './locate-secrets.ts';

/** A plan with what carrying it out needs besides. */
export interface Looked {
  readonly plan: StackPlan;
  readonly platform: Platform;
  /** Folders and images that environments are to run, read and ready to be sent, by `runsKey`. */
  readonly requests: ReadonlyMap<string, DeployRequest>;
}

/**
 * Throws SECRET_NOT_FOUND or STACK_IMPOSSIBLE with places in the file, and what reading the folders throws, before
 * anything is touched.
 */
export async function look(
  context: Context,
  client: Client,
  found: FoundStack,
  { prune = false }: { readonly prune?: boolean },
): Promise<Looked> {
  const { stack } = found;
  const requests = await readRequests(context, client, found);
  const [who, teams, allProjects] = await Promise.all([
    client.whoami(),
    client.teams(),
    client.projects(),
  ]);
  const team = who.team ?? 'default';
  const teamNames = new Set(teams.map(({ name }) => name));
  const projects = new Map<string, SeenProject>();
  for (const { name, team: owner } of allProjects) {
    const wanted = stack.projects.get(name);
    // Of projects beside the stack only that they are there counts: aliases may lead to them.
    const isLed = [...(stack.aliases?.values() ?? [])].some((one) => one.startsWith(`${name}/`));
    const environments =
      wanted?.environments || isLed
        ? await seenEnvironments(client, name, wanted)
        : new Map<string, SeenEnvironment>();
    projects.set(name, { team: owner, environments });
  }
  const platform: Platform = {
    teams: new Map(teams.map(({ name, plan }) => [name, { plan }])),
    projects,
    aliases: stack.aliases ? new Map((await client.aliases()).map(seenAlias)) : new Map(),
    secrets: await secretsOf(client, who, teamsWithSecrets(found, projects, team), teamNames),
    deployments: await identified(client, found, projects, requests),
    deploymentIds: await idsFor(client, found, projects),
    team,
  };
  const plan = planStack(stack, platform, { prune });
  if (plan.problems.length > 0) throw impossible(found, plan.problems);
  return { plan, platform, requests };
}

/** All that is to run, with the project it is for. */
function* runsIn({ stack }: FoundStack): Generator<readonly [string, WantedRuns]> {
  for (const [project, { environments }] of stack.projects) {
    for (const { runs } of environments?.values() ?? []) if (runs) yield [project, runs];
  }
}

async function readRequests(
  { output }: Context,
  client: Client,
  found: FoundStack,
): Promise<ReadonlyMap<string, DeployRequest>> {
  const requests = new Map<string, DeployRequest>();
  let hasHeredocs: boolean | undefined;
  for (const [project, runs] of runsIn(found)) {
    const key = runsKey(project, runs);
    if (requests.has(key) || (runs.kind !== 'folder' && runs.kind !== 'image')) continue;
    hasHeredocs ??= canReadHeredocs(await client.status());
    const folder = runs.kind === 'folder' ? runs.folder : undefined;
    const image = runs.kind === 'image' ? { image: runs.reference } : {};
    const place = { folder, workingFolder: found.folder, hasHeredocs };
    requests.set(key, await readRequest(output, place, { name: project, wait: true, ...image }));
  }
  return requests;
}

async function seenEnvironments(
  client: Client,
  project: string,
  wanted: WantedProject | undefined,
): Promise<ReadonlyMap<string, SeenEnvironment>> {
  const seen = new Map<string, SeenEnvironment>();
  for (const environment of await client.environments(project)) {
    if (isUnmade(environment)) continue;
    const listed = wanted?.environments?.get(environment.name);
    seen.set(environment.name, await seenEnvironment(client, environment, listed));
  }
  return seen;
}

/** Production and staging are listed for every project, made or not. */
function isUnmade({ name, latest, settings }: Environment): boolean {
  const { variables, limits, scale } = settings;
  const isEmpty = variables.length === 0 && Object.keys(limits).length === 0 && !scale;
  return (name === PRODUCTION || name === STAGING) && latest === 0 && isEmpty;
}

async function seenEnvironment(
  client: Client,
  { project, name, current, settings, paused }: Environment,
  wanted: WantedEnvironment | undefined,
): Promise<SeenEnvironment> {
  const { maxConcurrentReqs, duration, timeout } = settings.limits;
  const limits: Partial<Limits> = {
    ...(maxConcurrentReqs === undefined ? {} : { maxConcurrentReqs }),
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
  return {
    ...(current ? { current: { number: current.number, baseId: current.base } } : {}),
    settings: {
      variables: wanted?.variables ? await client.variables(project, name) : {},
      limits,
      ...(settings.scale ? { scale: settings.scale } : {}),
    },
    ...(paused === undefined ? {} : { paused }),
  };
}

function seenAlias(alias: Alias) {
  const target = leadsTo(alias);
  const project = 'deployment' in alias.leadsTo ? projectOfId(target) : alias.leadsTo.project;
  return [nameOf(alias), { target, project }] as const;
}

/** The teams of projects whose variables name secrets. */
function teamsWithSecrets(
  { stack }: FoundStack,
  projects: ReadonlyMap<string, SeenProject>,
  ownTeam: string,
): ReadonlySet<string> {
  const teams = new Set<string>();
  for (const [project, { team, environments }] of stack.projects) {
    const isNaming = [...(environments?.values() ?? [])].some(
      ({ variables = {} }) => secretNamesOf(variables).length > 0,
    );
    if (isNaming) teams.add(projects.get(project)?.team ?? team ?? ownTeam);
  }
  return teams;
}

async function secretsOf(
  client: Client,
  { projects }: Identity,
  teams: ReadonlySet<string>,
  there: ReadonlySet<string>,
): Promise<Platform['secrets']> {
  const secrets = new Map<string, ReadonlySet<string> | 'unknown'>();
  for (const team of teams) {
    if (projects) {
      secrets.set(team, 'unknown');
      continue;
    }
    const names = there.has(team) ? (await client.secrets(team)).map(({ name }) => name) : [];
    secrets.set(team, new Set(names));
  }
  return secrets;
}

/** Which deployments the folders, images and names stand for, in projects that are there. */
async function identified(
  client: Client,
  found: FoundStack,
  projects: ReadonlyMap<string, SeenProject>,
  requests: ReadonlyMap<string, DeployRequest>,
): Promise<Platform['deployments']> {
  const deployments = new Map<string, { readonly id: string; readonly isReady: boolean }>();
  for (const [project, runs] of runsIn(found)) {
    const key = runsKey(project, runs);
    if (deployments.has(key) || !projects.has(project) || runs.kind === 'environment') continue;
    try {
      const { deployment, isReady } =
        runs.kind === 'deployment'
          ? await client.identify(project, {
              configuration: {},
              source: { kind: 'deployment', name: runs.name },
            })
          : await identify(client, project, requests.get(key));
      deployments.set(key, { id: deployment, isReady });
    } catch (error) {
      const isUnknown = error instanceof BerthError && error.code === 'DEPLOYMENT_NOT_FOUND';
      // Said with its place in the file.
      if (runs.kind !== 'deployment' || !isUnknown) throw error;
    }
  }
  return deployments;
}

async function identify(client: Client, project: string, request: DeployRequest | undefined) {
  if (!request) throw new Error(`nothing was read for ${project}`);
  const { source } = request;
  const configuration = wireConfiguration(request);
  try {
    const manifest =
      source.kind === 'image' ? undefined : await client.announce(source.upload.manifest);
    return await client.identify(project, {
      configuration,
      source:
        source.kind === 'image' ? source : { kind: 'folder', manifest: manifest?.manifest ?? '' },
    });
  } catch (error) {
    throw locateSecrets(error, request.found);
  }
}

/** The declarations made from the schema call keys with a default required; the server does not. */
export function wireConfiguration({ configuration }: DeployRequest) {
  return configuration as unknown as NonNullable<DeployBody['configuration']> &
    IdentifyBody['configuration'];
}

/** Asked for only when an alias leads to what is no project. */
async function idsFor(
  client: Client,
  { stack }: FoundStack,
  projects: ReadonlyMap<string, SeenProject>,
): Promise<ReadonlySet<string>> {
  const isNeeded = [...(stack.aliases?.values() ?? [])].some(
    (target) => !target.includes('/') && !stack.projects.has(target) && !projects.has(target),
  );
  return new Set(isNeeded ? (await client.deployments()).map(({ id }) => id) : []);
}

function impossible({ fileName, locate }: FoundStack, found: readonly StackProblem[]): BerthError {
  const problems = found.map(({ path, message }) =>
    problemAt(fileName, locate, path, `${formatPath(path)} ${message}`),
  );
  const detail = problems.map(({ message }) => message).join('\n');
  const isSecrets = found.every(({ kind }) => kind === 'secret');
  return new BerthError(isSecrets ? 'SECRET_NOT_FOUND' : 'STACK_IMPOSSIBLE', { detail, problems });
}
