/** What follows a deploy: production with `--prod`, else the preview of the branch. */
import { resolve } from 'node:path';
import { PRODUCTION, previewOf } from '../core/environment.ts';
import { BerthError } from '../core/errors.ts';
import type { Client, Deployment, Release } from '../client/client.ts';
import type { Context } from './context.ts';
import type { DeployOptions } from './deploy-request.ts';
import { previewBranch } from './git-branch.ts';
import { releasing, sentence } from './released.ts';

/** Throws USAGE for options that cannot both hold. */
export function refuseContradictions({ prod, branch, wait, why }: DeployOptions): void {
  const isNamed = typeof branch === 'string';
  if (isNamed && branch.trim() === '')
    refuse('--branch has no name: --no-branch makes no preview.');
  if (prod && isNamed) refuse('--prod and --branch cannot both be: one release at a time.');
  if ((prod || isNamed) && !wait)
    refuse('What is not waited for cannot be released: leave --no-wait out.');
  if (why !== undefined && !prod && !isNamed)
    refuse('--why belongs to a release: say --prod or --branch too.');
}

/** Where the deployment is released to once it is ready. */
export interface Destination {
  readonly environment: string;
  /** It was named, and not found out from git. */
  readonly isByHand: boolean;
}

/** Undefined when it is released to nothing. */
export async function destinationOf(
  { world }: Context,
  folder: string | undefined,
  { prod, branch, image, wait }: DeployOptions,
): Promise<Destination | undefined> {
  if (!wait) return undefined;
  if (prod) return { environment: PRODUCTION, isByHand: true };
  if (typeof branch === 'string') return { environment: previewOf(branch), isByHand: true };
  if (branch === false || (image !== undefined && folder === undefined)) return undefined;
  const detected = await previewBranch(resolve(world.folder, folder ?? '.'));
  return detected === undefined ? undefined : { environment: previewOf(detected), isByHand: false };
}

/** Undefined when a preview waits after a rollback. */
export async function releaseDeployed(
  { output }: Context,
  client: Client,
  { id, project }: Deployment,
  { environment, isByHand }: Destination,
  { why }: DeployOptions,
): Promise<Release | undefined> {
  try {
    const release = await releasing(
      output,
      `Releasing to ${environment}`,
      `${environment} of ${project} stays as it is`,
      client.release(project, environment, {
        deployment: id,
        isAutomatic: !isByHand,
        ...(why === undefined ? {} : { why }),
      }),
      sentence,
    );
    if (environment !== PRODUCTION) output.note(`  Preview of the branch: ${release.url}`);
    return release;
  } catch (error) {
    // The deployment is there, and nobody asked for the preview: what paused it was somebody's decision.
    if (isByHand || !(error instanceof BerthError) || error.code !== 'ENVIRONMENT_PAUSED')
      throw error;
    output.note(`  Not released to ${environment}: ${error.detail} ${error.advice}`);
    return undefined;
  }
}

function refuse(detail: string): never {
  throw new BerthError('USAGE', { detail });
}
