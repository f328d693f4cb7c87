/** The secrets of teams as other parts need them: pinned when a deployment is made, opened when an instance is. */
import type { SecretVersions } from '../core/model.ts';

export interface Secrets {
  /**
   * The versions of all secrets that these variables name: those of `kept`, else the newest. Throws SECRET_NOT_FOUND
   * with every variable (`env.NAME`) that names one that is not there, and nothing when none is named.
   */
  pin(
    project: string,
    variables: Readonly<Record<string, string>>,
    kept?: SecretVersions,
  ): Promise<SecretVersions>;
  /** Secret name → value. Throws SECRET_NOT_FOUND or SECRETS_LOCKED; without versions neither. */
  reveal(project: string, versions: SecretVersions): Promise<Readonly<Record<string, string>>>;
}
