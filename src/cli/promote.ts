/** `berth promote`: what runs in one environment, or any deployment, runs in another as well; nothing is built. */
import { isEnvironmentName, isPreview, PRODUCTION, STAGING } from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import { findDeployment } from '../core/find-deployment.ts';
import { parseVersion } from '../core/release.ts';
import type { Client } from '../client/client.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { projectOf } from './project-of.ts';
import { printRelease, releasing, sentence } from './released.ts';

export interface PromoteOptions extends GlobalOptions {
  readonly to: string;
  readonly from: string;
  readonly name?: string;
  readonly percent?: number;
  readonly why?: string;
}

type Source =
  | { readonly deployment: string }
  | { readonly from: { readonly environment: string; readonly number?: number } };

export async function run(context: Context, what: string, options: PromoteOptions): Promise<void> {
  const { output } = context;
  const client = await connect(context, options);
  const { project, source } = await whatIsMeant(context, client, what, options);
  const { to, percent, why } = options;
  const release = await releasing(
    output,
    `Promoting ${what} to ${to} of ${project}`,
    `${to} of ${project} stays as it is`,
    client.release(project, to, {
      ...source,
      isPromotion: true,
      ...(percent === undefined ? {} : { percent }),
      ...(why === undefined ? {} : { why }),
    }),
    sentence,
  );
  printRelease(output, release);
}

/**
 * | given | means |
 * |---|---|
 * | `v12` | that release of `--from`, of the project of the folder or `--name` |
 * | `staging`, `qa`, `preview/cart`: an environment of that project | what it runs now |
 * | URL of an environment | the same |
 * | id, beginning of one, or URL of a deployment | that one |
 * | a project | its newest deployment |
 */
async function whatIsMeant(
  context: Context,
  client: Client,
  what: string,
  options: PromoteOptions,
): Promise<{ readonly project: string; readonly source: Source }> {
  const number = parseVersion(what);
  if (number !== undefined) {
    const project = await projectOf(context, options.name);
    return { project, source: { from: { environment: options.from, number } } };
  }
  if (what.trim() === '') {
    throw new BerthError('USAGE', {
      detail: 'Say what is to be promoted: a deployment, an environment, or a release like v12.',
    });
  }
  const own = await environmentOfProject(context, client, what, options.name);
  if (own) return own;
  const deployments = await client.deployments(options.name);
  const found = findDeployment(what, deployments, 'newest');
  if (found.kind === 'found' && !isHostnameOfProject(what, found.deployment.project)) {
    const { id, project } = found.deployment;
    return { project, source: { deployment: id } };
  }
  const running = await environmentAt(client, what, new Set(deployments.map((one) => one.project)));
  if (running) return running;
  if (found.kind === 'ambiguous') {
    throw new BerthError('DEPLOYMENT_AMBIGUOUS', {
      detail: `${found.candidates.length} deployments fit ${what}.`,
      problems: found.candidates.map(({ id, state }) => ({ at: id, message: `is ${state}` })),
    });
  }
  const place = await projectOf(context, options.name).catch(() => 'a project');
  throw new BerthError('DEPLOYMENT_NOT_FOUND', {
    detail: `${what} is no deployment, no release like v12, and no environment of ${place}.`,
  });
}

/** The environment of this name; undefined where the project has none, or the folder says no project. */
async function environmentOfProject(
  context: Context,
  client: Client,
  name: string,
  projectName: string | undefined,
) {
  if (!isEnvironmentName(name)) return undefined;
  if (name === PRODUCTION || name === STAGING || isPreview(name)) {
    const project = await projectOf(context, projectName);
    return { project, source: { from: { environment: name } } };
  }
  // An id can be promoted from any folder: also from one that is no project, or whose configuration cannot be read.
  const project = await projectOf(context, projectName).catch(() => undefined);
  if (project === undefined) return undefined;
  const environments = await client.environments(project).catch((error: unknown) => {
    if (error instanceof BerthError && error.code === 'PROJECT_NOT_FOUND') return [];
    throw error;
  });
  const isThere = environments.some((one) => one.name === name);
  return isThere ? { project, source: { from: { environment: name } } } : undefined;
}

/** `shop.example.com` is production of `shop`, and not its newest deployment. */
function isHostnameOfProject(what: string, project: string): boolean {
  return labelOf(what) === project && what.trim() !== project;
}

/** The environment that answers at this hostname or URL. */
async function environmentAt(client: Client, what: string, projects: ReadonlySet<string>) {
  const label = labelOf(what);
  for (const project of projects) {
    if (label !== project && !label.startsWith(`${project}-`)) continue;
    const environments = await client.environments(project);
    const found = environments.find(({ url }) => labelOf(url) === label);
    if (found) return { project, source: { from: { environment: found.name } } };
  }
  return undefined;
}

/** The first label of a hostname or of that of a URL. */
function labelOf(address: string): string {
  const host = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#:]*)/i.exec(address.trim())?.[1] ?? '';
  return (host.split('.')[0] ?? '').toLowerCase();
}
