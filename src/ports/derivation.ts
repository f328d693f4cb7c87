/** Deployments made of others: the same image with another configuration. Implemented by the deploys. */
import type { Configuration, Deployment, DeploymentId, SecretVersions } from '../core/model.ts';

/** What is to be made. */
export interface Derivation {
  readonly base: Deployment;
  readonly configuration: Configuration;
  readonly secrets: SecretVersions;
  readonly createdBy: string;
}

export interface Derivations {
  /** The id it has or would have: the same image, configuration and secrets are the same deployment. */
  idOf(derivation: Omit<Derivation, 'createdBy'>): DeploymentId;
  /** Whether the image of a deployment is still there. */
  hasImage(deployment: Deployment): Promise<boolean>;
  /**
   * Written, verified and put to rest like any other; one that is ready already is given as it is. Throws IMAGE_GONE
   * with nothing written; what its boot failed with and the last lines of its log; SHUTTING_DOWN when `signal` aborts.
   */
  derive(derivation: Derivation, signal: AbortSignal): Promise<Deployment>;
  /** Ends what runs, then removes the deployment and everything only it used. */
  remove(deployment: Deployment): Promise<void>;
}
