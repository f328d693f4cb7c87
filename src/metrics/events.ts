/** What the parts report while they work, counted: starts and their phases, failures, demotions, builds. */
import { BOOT_BOUNDS, Buckets } from './buckets.ts';

type Facts = Readonly<Record<string, unknown>>;

/** `create` and `park` of spares that are made ahead count under start `parked`. */
export type Phase = 'thaw' | 'create' | 'park' | 'boot' | 'port';

export class Events {
  /** By kind of start. */
  readonly starts = new Map<string, number>();
  /** By code. */
  readonly failedStarts = new Map<string, number>();
  /** By the tier that was stepped down to. */
  readonly demotions = new Map<string, number>();
  /** By outcome: `built`, or a code. */
  readonly builds = new Map<string, number>();
  /** By outcome: `ready`, or a code. */
  readonly deploys = new Map<string, number>();
  /** Connections of HTTP/2 that were ended for what their client sent, by why. */
  readonly abuses = new Map<string, number>();
  deaths = 0;
  readonly #phases = new Map<string, { phase: Phase; start: string; buckets: Buckets }>();

  phases(): Iterable<{ readonly phase: Phase; readonly start: string; readonly buckets: Buckets }> {
    return this.#phases.values();
  }

  /** Events that nobody counts are none of ours. */
  note(event: string, facts: Facts): void {
    switch (event) {
      case 'instance.ready':
        this.#ready(facts);
        break;
      case 'instance.parked':
        this.#observe('create', 'parked', facts['createMs']);
        this.#observe('park', 'parked', facts['parkMs']);
        break;
      case 'instance.start-failed':
        add(this.failedStarts, facts['code']);
        break;
      case 'instance.died':
        this.deaths += 1;
        break;
      case 'instance.demoted':
        add(this.demotions, facts['to']);
        break;
      case 'build.ended':
        add(this.builds, facts['code'] ?? 'built');
        break;
      case 'deploy.ended':
        add(this.deploys, facts['code'] ?? facts['state']);
        break;
      case 'client.ended':
        add(this.abuses, facts['why']);
        break;
      default:
    }
  }

  #ready({ start, createMs, parkMs, bootMs, portMs }: Facts): void {
    if (typeof start !== 'string') return;
    add(this.starts, start);
    if (start === 'thawed') {
      this.#observe('thaw', start, bootMs);
      return;
    }
    this.#observe('create', start, createMs);
    this.#observe('park', start, parkMs);
    // What was made for this start is contained in its boot.
    const before = asNumber(createMs) + asNumber(parkMs);
    this.#observe('boot', start, asNumber(bootMs) - before);
    this.#observe('port', start, portMs);
  }

  #observe(phase: Phase, start: string, ms: unknown): void {
    if (typeof ms !== 'number') return;
    const key = `${phase} ${start}`;
    let series = this.#phases.get(key);
    if (!series) {
      series = { phase, start, buckets: new Buckets(BOOT_BOUNDS) };
      this.#phases.set(key, series);
    }
    series.buckets.observe(Math.max(0, ms));
  }
}

function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function add(counts: Map<string, number>, key: unknown): void {
  if (typeof key === 'string') counts.set(key, (counts.get(key) ?? 0) + 1);
}
