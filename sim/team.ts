/** A team with a small plan: which deployments are its own, and how much it may use at once. */
import type { Deployment, DeploymentId } from '../src/core/model.ts';
import { type Quota, Quotas, type TeamUse } from '../src/core/quota.ts';
import { drawOfTeam } from './deployments.ts';
import type { SeededRandom } from './random.ts';

const NAME = 'small';
const OTHERS = 'others';

export class Team {
  readonly deployments: readonly Deployment[];
  readonly quota: Quota;
  /** Instances at the last look: what a process finds running when it starts runs on. */
  ranBefore = Infinity;
  #quotas = new Quotas(OTHERS);

  constructor(random: SeededRandom) {
    this.deployments = Array.from({ length: random.between(2, 3) }, (_, index) =>
      drawOfTeam(random, index),
    );
    this.quota = {
      ...(random.chance(0.8) ? { instances: random.between(1, 4) } : {}),
      ...(random.chance(0.8) ? { requests: random.between(2, 30) } : {}),
    };
  }

  has(id: DeploymentId): boolean {
    return this.deployments.some((one) => one.id === id);
  }

  /** What the present process counts. */
  get use(): TeamUse {
    return this.#quotas.team(NAME);
  }

  /** What runs stays, though another one has its place already: from now on there may be no more than there are then. */
  allowMore(): void {
    this.ranBefore = Infinity;
  }

  /** For a new process, which counts from nothing. */
  createQuotas(): Quotas {
    this.#quotas = new Quotas(OTHERS);
    for (const { project } of this.deployments) this.#quotas.assign(project, NAME);
    this.#quotas.setPlan(NAME, 'small', this.quota);
    this.allowMore();
    return this.#quotas;
  }
}
