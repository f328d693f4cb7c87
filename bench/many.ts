/** P10: ten thousand sleeping deployments: what they cost in memory, and whether waking one takes longer than among ten. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addSleepers, removeSleepers, type Sleeper } from '../test/fixtures/sleepers.ts';
import { openSqliteStore } from '../src/stores/sqlite/open.ts';
import { firstByte, type Target } from './first-byte.ts';
import { atMost, type Measure } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { describeMs, type Summary, summarise } from './statistics.ts';

const MANY = Number(process.env.BERTH_BENCH_P10 ?? 10_000);
/** Real deployments of each server, at rest as usual. */
const FROZEN = 10;
/** Of either server, woken from nothing but their image: once each. */
const IMAGE_ONLY = 16;
const ROUNDS = Number(process.env.BERTH_BENCH_P10_ROUNDS ?? 12);
const QUERIES = 7;
const LIMITS = { timeout: 1_000, duration: 1_800_000 };
const KIB_PER_MIB = 1024;

/** One of the two servers, with what sleeps on it. */
class Side {
  readonly server: Server;
  readonly name: string;
  readonly frozen: readonly Deployed[];
  readonly frozenMs: number[] = [];
  readonly imageOnlyMs: number[] = [];
  sleepers: readonly Sleeper[] = [];
  discarded = 0;

  private constructor(server: Server, name: string, frozen: readonly Deployed[]) {
    this.server = server;
    this.name = name;
    this.frozen = frozen;
  }

  /** Ten deployed as people do it, the others written beside them: the same image, each with a variable of its own. */
  static async open(name: string, count: number): Promise<Side> {
    const server = await Server.start();
    const side = new Side(server, name, await server.deployMany(FROZEN, { limits: LIMITS }));
    await side.#rested();
    await server.restart(async (data) => {
      side.sleepers = await fill(join(data, 'berth.db'), count - FROZEN);
    });
    await side.#rested();
    return side;
  }

  #rested(): Promise<void> {
    return this.server.until(this.frozen, (states) => states.join() === 'frozen');
  }

  /** All ten frozen ones, one after the other. */
  async wakeFrozen(): Promise<void> {
    await this.#rested();
    for (const target of this.frozen) await this.#wake(target, 'thawed', this.frozenMs);
  }

  async wakeFromImage(index: number): Promise<void> {
    const { project, environment, id } = this.sleepers[index * ENVIRONMENTS_EACH] ?? {};
    if (id === undefined || environment !== 'production') throw new Error('no such sleeper');
    await this.#wake(this.server.at(`${project}.localhost`), 'cold', this.imageOnlyMs);
    await this.server.until([{ id, ...this.server.at('') }], (all) => all.join() === 'frozen');
  }

  async #wake(target: Target, start: string, samples: number[]): Promise<void> {
    const woken = await firstByte(target);
    if (woken.status === 200 && woken.start === start) samples.push(woken.ms);
    else this.discarded += 1;
  }

  /** Of the process with router and control, in MiB; of Podman's service beside it too. */
  async memoryMiB(): Promise<number> {
    const status = await readFile(`/proc/${this.server.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / KIB_PER_MIB;
  }

  /** What people ask for, and how late requests were meanwhile. */
  async queries(): Promise<Readonly<Record<string, Summary>>> {
    const middle =
      this.sleepers[Math.floor(this.sleepers.length / 2 / ENVIRONMENTS_EACH) * ENVIRONMENTS_EACH];
    const { project = '', id = '' } = middle ?? {};
    const asks: Readonly<Record<string, () => Promise<unknown>>> = {
      ls: () => this.server.ask('GET', '/deployments'),
      'ls of a project': () => this.server.ask('GET', `/deployments?project=${project}`),
      releases: () =>
        this.server.ask('GET', `/projects/${project}/environments/production/releases`),
      inspect: () => this.server.ask('GET', `/deployments/${id}`),
      'a host that is unknown': () => firstByte(this.server.at('nobody.localhost')),
    };
    const found: Record<string, Summary> = {};
    for (const [name, ask] of Object.entries(asks)) {
      const ms: number[] = [];
      for (let count = 0; count < QUERIES; count += 1) {
        const began = performance.now();
        await ask();
        ms.push(performance.now() - began);
      }
      found[name] = summarise(ms);
    }
    return found;
  }

  async lagMs(): Promise<Readonly<Record<string, number>>> {
    const status = await this.server.ask('GET', '/status');
    return (status as { eventLoopLagMs: Record<string, number> }).eventLoopLagMs;
  }

  /** What was written beside the deploys goes the same way; the rest as usual. */
  async close(): Promise<void> {
    await this.server.restartWithoutInstances((data) => removeSleepers(join(data, 'berth.db')));
    await this.server.close();
  }
}

/** `addSleepers` gives each project so many; the first is in production. */
const ENVIRONMENTS_EACH = 4;

async function fill(file: string, count: number): Promise<readonly Sleeper[]> {
  const store = await openSqliteStore(file);
  const [template] = await store.deployments();
  await store.close();
  if (!template) throw new Error('nothing was deployed');
  return addSleepers(file, template, count);
}

function ratio(many: readonly number[], few: readonly number[]): number {
  return summarise(many).p50 / summarise(few).p50;
}

export const sleepers: Measure = {
  name: 'P10',
  title: `${MANY} sleeping deployments beside a server with few`,
  async run(say) {
    const sides: Side[] = [];
    try {
      const few = await Side.open('few', FROZEN + IMAGE_ONLY * ENVIRONMENTS_EACH);
      sides.push(few);
      const many = await Side.open('many', MANY);
      sides.push(many);
      const startMs = Object.fromEntries(sides.map(({ name, server }) => [name, server.startMs]));
      for (let round = 0; round < ROUNDS; round += 1)
        for (const side of inTurn(sides, round)) await side.wakeFrozen();
      for (let round = 0; round < IMAGE_ONLY; round += 1)
        for (const side of inTurn(sides, round)) await side.wakeFromImage(round);
      const memoryMiB = await many.memoryMiB();
      const queries = await many.queries();
      const lagMs = await many.lagMs();
      const afterMiB = await many.memoryMiB();
      const fewMiB = await few.memoryMiB();
      for (const { name, frozenMs, imageOnlyMs, discarded } of sides) {
        say(`${name}: frozen ${describeMs(summarise(frozenMs))}`);
        say(`${name}: image only ${describeMs(summarise(imageOnlyMs))}; ${discarded} discarded`);
      }
      for (const [name, summary] of Object.entries(queries)) say(`${name}: ${describeMs(summary)}`);
      say(
        `start to healthy: few ${startMs.few?.toFixed(0)} ms, many ${startMs.many?.toFixed(0)} ms`,
      );
      say(
        `memory: few ${fewMiB.toFixed(0)} MiB; many ${memoryMiB.toFixed(0)} MiB, ${afterMiB.toFixed(0)} MiB after ${QUERIES} × ls`,
      );
      say(`loop lag of many with the lists: p99 ${lagMs.p99} ms, at most ${lagMs.max} ms`);
      const detail = { memoryMiB, afterMiB, fewMiB, startMs, queries, lagMs };
      return [
        atMost(250, {
          name: 'P10',
          what: `memory of router and control with ${MANY} sleeping deployments after the wakes, MiB`,
          unit: 'count',
          value: memoryMiB,
          detail,
        }),
        atMost(1.1, {
          name: 'P10',
          what: `waking a frozen one of ${MANY} ÷ one of few, first byte, p50`,
          unit: 'ratio',
          value: ratio(many.frozenMs, few.frozenMs),
          detail: { many: summarise(many.frozenMs), few: summarise(few.frozenMs) },
        }),
        atMost(1.1, {
          name: 'P10',
          what: `waking one from its image of ${MANY} ÷ of few, first byte, p50`,
          unit: 'ratio',
          value: ratio(many.imageOnlyMs, few.imageOnlyMs),
          detail: { many: summarise(many.imageOnlyMs), few: summarise(few.imageOnlyMs) },
        }),
      ];
    } finally {
      for (const side of sides) await side.close();
    }
  },
};

/** Neither side is always the first. */
function inTurn(sides: readonly Side[], round: number): readonly Side[] {
  return round % 2 === 0 ? sides : sides.toReversed();
}
