/** Logs as people see them: values of secrets that an app printed are taken out where lines are handed on. */
import { createRedactor, type SecretValues } from '../core/redact.ts';
import type { DeploymentId } from '../core/model.ts';
import type { Logs } from '../ports/logs.ts';

/** The values that instances of a deployment were started with; none when it has no secrets. */
export type ValuesOf = (deploymentId: DeploymentId) => Promise<SecretValues>;

/** Instead of every line as long as nobody can say what must not be shown. */
const WITHHELD =
  '[withheld: the secrets of this deployment cannot be opened, so they cannot be taken out]';

/** The files stay as the engine wrote them: they hold what the app printed. */
export function redacted(logs: Logs, valuesOf: ValuesOf): Logs {
  async function redactorFor(deploymentId: DeploymentId): Promise<(text: string) => string> {
    try {
      return createRedactor(await valuesOf(deploymentId)) ?? ((text) => text);
    } catch {
      return () => WITHHELD;
    }
  }

  return {
    ...logs,
    async read(deploymentId, query) {
      const redact = await redactorFor(deploymentId);
      const lines = await logs.read(deploymentId, query);
      return lines.map((line) => ({ ...line, text: redact(line.text) }));
    },
    async follow(deploymentId, query, onLine, signal) {
      const redact = await redactorFor(deploymentId);
      const tell: typeof onLine = (line) => onLine({ ...line, text: redact(line.text) });
      await logs.follow(deploymentId, query, tell, signal);
    },
  };
}
