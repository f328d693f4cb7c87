/** Lets only so many boots run at once, shared fairly between deployments. */
import type { DeploymentId } from '../core/model.ts';
import { type BootRequest, nextPermit } from '../core/permit.ts';

interface Waiting extends BootRequest {
  readonly grant: () => void;
}

export class BootPermits {
  readonly #cap: number;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<DeploymentId, number>();
  #sequence = 0;

  constructor(cap: number) {
    this.#cap = cap;
  }

  /** Resolves when the boot may begin, with the function that gives the permit back. */
  async acquire(deploymentId: DeploymentId): Promise<() => void> {
    await new Promise<void>((grant) => {
      this.#sequence += 1;
      this.#waiting.push({ deploymentId, sequence: this.#sequence, grant });
      this.#grantNext();
    });
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const count = this.#running.get(deploymentId) ?? 0;
      if (count > 1) this.#running.set(deploymentId, count - 1);
      else this.#running.delete(deploymentId);
      this.#grantNext();
    };
  }

  #grantNext(): void {
    for (;;) {
      const next = nextPermit(this.#waiting, this.#running, this.#cap);
      const index = this.#waiting.findIndex((waiting) => waiting === next);
      const [granted] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!granted) return;
      this.#running.set(granted.deploymentId, (this.#running.get(granted.deploymentId) ?? 0) + 1);
      granted.grant();
    }
  }
}
