/** Deployments made of others: named, described, and how a failed one is told. */
import { createHash } from 'node:crypto';
import { BerthError, CATALOGUE, type ErrorCode } from '../core/errors.ts';
import { deploymentIdFrom, identityText } from '../core/identity.ts';
import type { Deployment, DeploymentId } from '../core/model.ts';
import type { Derivation } from '../ports/derivation.ts';

/** Throws IMAGE_GONE for a base that was never built. */
export function idOfDerived({
  base,
  configuration,
  secrets,
}: Omit<Derivation, 'createdBy'>): DeploymentId {
  const { project, source } = base;
  const made =
    source.kind === 'folder'
      ? { kind: 'folder' as const, manifest: source.manifest }
      : { kind: 'image' as const, imageId: imageOf(base).id };
  const text = identityText(project, made, configuration, secrets);
  return deploymentIdFrom(project, createHash('sha256').update(text).digest('hex'));
}

/** As it is written before it is verified. */
export function derivedDeployment(derivation: Derivation, createdAt: number): Deployment {
  const { base, configuration, secrets, createdBy } = derivation;
  return {
    id: idOfDerived(derivation),
    project: base.project,
    source: base.source,
    configuration,
    state: 'verifying',
    image: imageOf(base),
    ...(Object.keys(secrets).length > 0 && { secrets }),
    derivedFrom: base.id,
    createdAt,
    createdBy,
  };
}

export function imageGone(base: Pick<Deployment, 'id'>): BerthError {
  return new BerthError('IMAGE_GONE', { detail: `The image of ${base.id} is not there any more.` });
}

/** The failure of a deployment as an error with the last lines of its log. */
export function failureOf({ id, failure }: Deployment, log: readonly string[]): BerthError {
  const detail = failure?.detail ?? `${id} was removed meanwhile.`;
  const code = failure?.code ?? 'DEPLOY_INTERRUPTED';
  return new BerthError(isCode(code) ? code : 'INTERNAL', { detail, log });
}

function imageOf(base: Deployment): NonNullable<Deployment['image']> {
  if (!base.image) throw imageGone(base);
  return base.image;
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(CATALOGUE, code);
}
