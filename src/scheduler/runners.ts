/** The runners of a fleet: each is made when something is asked of its deployment, so that sleepers cost no more than a row. */
import type { Deployment, DeploymentId, Scale } from '../core/model.ts';
import type { Context } from './context.ts';
import { Runner } from './runner.ts';

export class Runners {
  readonly #context: Context;
  /** Those of which nothing was asked yet, as JSON: a text takes half as much memory, and the collector passes it by. */
  readonly #sleepers = new Map<DeploymentId, string>();
  readonly #made = new Map<DeploymentId, Runner>();
  /** What environments ask for, also of deployments that are not there yet. */
  readonly #scales = new Map<DeploymentId, Scale>();
  /** Until then scales are only noted: what they ask for may be there already. */
  #isOpen = false;

  constructor(context: Context) {
    this.#context = context;
  }

  has(id: DeploymentId): boolean {
    return this.#sleepers.has(id) || this.#made.has(id);
  }

  /** From now on it can be asked for. */
  know(deployment: Deployment): void {
    this.#sleepers.set(deployment.id, JSON.stringify(deployment));
    // It wants an instance by itself.
    if (deployment.configuration.idle === 'run') this.of(deployment.id);
  }

  /** The one of a deployment, made if need be; undefined when it is unknown. */
  of(id: DeploymentId): Runner | undefined {
    const sleeper = this.#sleepers.get(id);
    if (sleeper === undefined) return this.#made.get(id);
    const runner = new Runner(JSON.parse(sleeper) as Deployment, this.#context);
    this.add(runner);
    return runner;
  }

  /** The one of a deployment of which something was asked already. */
  made(id: DeploymentId): Runner | undefined {
    return this.#made.get(id);
  }

  /** All of which something was asked already. */
  values(): IterableIterator<Runner> {
    return this.#made.values();
  }

  add(runner: Runner): void {
    const { id } = runner.deployment;
    this.#sleepers.delete(id);
    this.#made.set(id, runner);
    runner.joinTeam();
    const scale = this.#scales.get(id);
    if (scale) this.#apply(runner, scale);
  }

  /** Forgets the deployment; its runner, if it had one, is the caller's to close. */
  take(id: DeploymentId): Runner | undefined {
    const runner = this.#made.get(id);
    this.#sleepers.delete(id);
    this.#made.delete(id);
    return runner;
  }

  setScale(id: DeploymentId, scale: Scale | undefined): void {
    if (scale) this.#scales.set(id, scale);
    else this.#scales.delete(id);
    const runner = this.#made.get(id);
    if (runner) this.#apply(runner, scale);
    // Making it applies the scale.
    else if (scale && scale.min > 0 && this.#isOpen) this.of(id);
  }

  /** What the engine still had is taken over: from now on there is as much as scales ask for. The caller asks all decisions. */
  open(): void {
    this.#isOpen = true;
    for (const [id, { min }] of this.#scales) if (min > 0) this.of(id);
  }

  #apply(runner: Runner, scale: Scale | undefined): void {
    if (this.#isOpen) runner.setScale(scale);
    else runner.noteScale(scale);
  }
}
