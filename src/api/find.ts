/** The deployment that a request names, or the error that says why it is none. */
import type { FastifyRequest } from 'fastify';
import { BerthError } from '../core/errors.ts';
import { findDeployment } from '../core/find-deployment.ts';
import type { FindMode } from '../core/find-deployment.ts';
import type { Deployment, DeploymentId } from '../core/model.ts';
import { whoOf } from './actor.ts';
import type { ApiNeeds } from './needs.ts';

const SHOWN_CANDIDATES = 20;

/**
 * Only what who asks may see is found; the URL of an environment means what it runs now. Throws DEPLOYMENT_NOT_FOUND or DEPLOYMENT_AMBIGUOUS, which lists what would fit.
 */
export async function find(
  request: FastifyRequest,
  { store, access, deploymentAt }: Pick<ApiNeeds, 'store' | 'access' | 'deploymentAt'>,
  name: string,
  mode: FindMode,
): Promise<Deployment> {
  const who = whoOf(request);
  // By far the most common name is an id: that needs one row only.
  const exact = await store.deployment(hostIn(name, deploymentAt) ?? name);
  if (exact && access.sees(who, exact.project)) return exact;
  const visible = (await store.deployments()).filter(({ project }) => access.sees(who, project));
  const found = findDeployment(name, visible, mode);
  switch (found.kind) {
    case 'found':
      return found.deployment;
    case 'none':
      throw new BerthError('DEPLOYMENT_NOT_FOUND', { detail: `No deployment is called ${name}.` });
    case 'ambiguous':
      throw new BerthError('DEPLOYMENT_AMBIGUOUS', {
        detail: `${found.candidates.length} deployments fit ${name}.`,
        problems: found.candidates
          .slice(0, SHOWN_CANDIDATES)
          .map(({ id, state }) => ({ at: id, message: `is ${state}` })),
      });
  }
}

/** What answers at a hostname or URL: also that of an environment, or an alias. */
function hostIn(address: string, deploymentAt: ApiNeeds['deploymentAt']): DeploymentId | undefined {
  const host = /^(?:https?:\/\/)?([^/?#:]+\.[^/?#:]+)/i.exec(address.trim())?.[1];
  return host === undefined ? undefined : deploymentAt(host.toLowerCase());
}

/** Ids of what who asks may see; undefined when that is all. */
export async function seenDeployments(
  request: FastifyRequest,
  { store, access }: Pick<ApiNeeds, 'store' | 'access'>,
): Promise<ReadonlySet<DeploymentId> | undefined> {
  const who = whoOf(request);
  if (who.team === undefined && who.projects === undefined) return undefined;
  const seen = new Set<DeploymentId>();
  for await (const page of store.deploymentPages()) {
    for (const { id, project } of page) if (access.sees(who, project)) seen.add(id);
  }
  return seen;
}
