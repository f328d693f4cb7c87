/** Which request reached which app, what the app read of it, and of what it was proven that it did not: the truth beside the proof. */
import type { InstanceId } from '../src/core/model.ts';

/** One request at one instance, from the first byte that arrived there. */
export interface Attempt {
  readonly instanceId: InstanceId;
  wasRead: boolean;
  /** The scheduler has proven that nothing of it was read. */
  isProvenUnread: boolean;
}

export class Attempts {
  readonly #byNumber = new Map<number, Attempt[]>();
  /** Of these something was proven: they must never run again. */
  readonly #proven = new Set<InstanceId>();
  readonly #onViolation: (text: string) => void;
  /** Proofs so far. */
  proofs = 0;

  constructor(onViolation: (text: string) => void) {
    this.#onViolation = onViolation;
  }

  /** In order. */
  of(number: number): readonly Attempt[] {
    return this.#byNumber.get(number) ?? [];
  }

  /** How often an app read the head of a client's request, by the number that the client gave it. */
  reads(number: number): number {
    return this.of(number).filter(({ wasRead }) => wasRead).length;
  }

  arrived(number: number, instanceId: InstanceId): void {
    const attempts = this.#byNumber.get(number) ?? [];
    this.#byNumber.set(number, attempts);
    attempts.push({ instanceId, wasRead: false, isProvenUnread: false });
  }

  read(number: number, instanceId: InstanceId): void {
    if (this.#proven.has(instanceId))
      this.#onViolation(`${instanceId} read #${number} after it was proven what it has not read`);
    const attempt = this.#latest(number, instanceId);
    if (attempt) attempt.wasRead = true;
    else this.#onViolation(`${instanceId} read #${number}, which never arrived there`);
  }

  /** `number` is unknown when nothing of the request had left the router. */
  provenUnread(number: number | undefined, instanceId: InstanceId): void {
    this.proofs += 1;
    this.#proven.add(instanceId);
    const attempt = number === undefined ? undefined : this.#latest(number, instanceId);
    if (!attempt) return;
    attempt.isProvenUnread = true;
    if (attempt.wasRead)
      this.#onViolation(`#${number} was read by ${instanceId}, though the opposite was proven`);
  }

  /** The engine is told to let an instance go on. */
  checkMayRun(instanceId: InstanceId): void {
    if (this.#proven.has(instanceId))
      this.#onViolation(`${instanceId} is to go on after it was proven what it has not read`);
  }

  #latest(number: number, instanceId: InstanceId): Attempt | undefined {
    return this.of(number).findLast((one) => one.instanceId === instanceId);
  }
}
