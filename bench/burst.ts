/** P4: a hundred requests at once on a sleeping deployment, against ten bare processes started at once. */
import { startBare } from './bare.ts';
import { firstByte, type Target } from './first-byte.ts';
import { atMost, type Measure, type Result } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { describeMs, type Summary, summarise } from './statistics.ts';

const REQUESTS = 100;
const PER_INSTANCE = 10;
const INSTANCES = REQUESTS / PER_INSTANCE;
const ROUNDS = 10;
const LIMITS = { timeout: 1_000, duration: 1_800_000, maxConcurrentReqs: PER_INSTANCE };
/** Frozen, the bench app holds 14 to 18 MiB and a parked one is reckoned with 4: room for one frozen and nine parked. */
const ONE_FROZEN_BUDGET_MIB = 56;
/** So long does each request last where all hundred have to be in flight at once, in ms; taken off both sides' times. */
const SLEEP_MS = 250;

interface Burst {
  readonly ms: number;
  readonly errors: number;
  readonly instances: number;
}

/** Time until the last of a hundred simultaneous requests had its first byte. */
async function burst(server: Server, target: Deployed, path = '/'): Promise<Burst> {
  const began = performance.now();
  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, () => firstByte({ ...target, path }).catch(() => undefined)),
  );
  const ms = performance.now() - began;
  const errors = answers.filter((answer) => answer?.status !== 200).length;
  let started: readonly string[] = [];
  await server.until([target], (states) => {
    started = states;
    return !states.includes('booting');
  });
  const instances = started.filter((state) => state === 'ready' || state === 'busy').length;
  return { ms, errors, instances };
}

/** Ten processes spawned at once, ten requests to each: time until the last first byte. */
async function bareBurst(path = '/'): Promise<number> {
  const began = performance.now();
  const bare = await Promise.all(Array.from({ length: INSTANCES }, () => startBare(path)));
  const rest = (target: Target) =>
    Array.from({ length: PER_INSTANCE - 1 }, () => firstByte(target));
  await Promise.all(bare.flatMap(({ target }) => rest(target)));
  const ms = performance.now() - began;
  await Promise.all(bare.map((one) => one.stop()));
  return ms;
}

interface Case {
  /** How long the app took for each answer, in ms; not contained in the times. */
  readonly sleepMs: number;
  readonly berth: Summary;
  readonly bare: Summary;
  readonly ratio: number;
  readonly errors: number;
  /** How many instances there were after each burst. */
  readonly instances: readonly number[];
}

async function measureCase(
  rounds: number,
  sleepMs: number,
  prepare: () => Promise<{ readonly server: Server; readonly target: Deployed }>,
): Promise<Case> {
  const path = `/?sleep=${sleepMs}`;
  const bursts: Burst[] = [];
  const bareMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { server, target } = await prepare();
    bursts.push(await burst(server, target, path));
    bareMs.push((await bareBurst(path)) - sleepMs);
  }
  const berth = summarise(bursts.map(({ ms }) => ms - sleepMs));
  const bare = summarise(bareMs);
  const errors = bursts.reduce((sum, one) => sum + one.errors, 0);
  const instances = bursts.map((one) => one.instances);
  return { sleepMs, berth, bare, ratio: berth.p50 / bare.p50, errors, instances };
}

export const burstMeasure: Measure = {
  name: 'P4',
  title: 'a hundred requests at once on a sleeping deployment',
  async run(say) {
    const cases: Record<string, Case> = {};
    const roomy = await Server.start();
    try {
      const target = await roomy.deploy({ limits: LIMITS });
      await burst(roomy, target, `/?sleep=${SLEEP_MS}`);
      const asleep = async () => {
        await roomy.until([target], (states) => states.every((state) => state === 'frozen'));
        return { server: roomy, target };
      };
      cases['10 frozen, the default after a burst'] = await measureCase(ROUNDS, SLEEP_MS, asleep);
      cases['10 frozen, answers at once'] = await measureCase(ROUNDS, 0, asleep);
      let fresh = 0;
      cases['1 frozen, 9 from the image, the first burst ever'] = await measureCase(
        5,
        SLEEP_MS,
        async () => {
          fresh += 1;
          const first = await roomy.deploy({ limits: LIMITS, env: { FRESH: String(fresh) } });
          return { server: roomy, target: first };
        },
      );
    } finally {
      await roomy.close();
    }
    const tight = await Server.start(['--memory-budget', String(ONE_FROZEN_BUDGET_MIB)]);
    try {
      const target = await tight.deploy({ limits: LIMITS });
      await burst(tight, target, `/?sleep=${SLEEP_MS}`);
      const oneFrozen = async () => {
        const wanted = ['frozen', ...Array.from({ length: INSTANCES - 1 }, () => 'parked')].join();
        await tight.until([target], (states) => states.join() === wanted);
        return { server: tight, target };
      };
      cases['1 frozen, 9 parked'] = await measureCase(ROUNDS, SLEEP_MS, oneFrozen);
    } finally {
      await tight.close();
    }
    return Object.entries(cases).flatMap(([name, one]) => report(name, one, say));
  },
};

function report(name: string, one: Case, say: (line: string) => void): readonly Result[] {
  say(`${name}: ${describeMs(one.berth)}; ten bare processes: ${describeMs(one.bare)}`);
  const detail = { ...one };
  const results = [
    atMost(2, {
      name: 'P4',
      what: `100 at once ÷ 10 bare processes at once: ${name}`,
      unit: 'ratio',
      value: one.ratio,
      detail,
    }),
    atMost(0, {
      name: 'P4',
      what: `errors: ${name}`,
      unit: 'count',
      value: one.errors,
      detail: {},
    }),
  ];
  // Only requests that last are all in flight at once: the others are over before the last of them arrives.
  if (one.sleepMs === 0) return results;
  const wrong = one.instances.filter((count) => count !== INSTANCES).length;
  const what = `bursts without exactly ${INSTANCES} instances: ${name}`;
  return [...results, atMost(0, { name: 'P4', what, unit: 'count', value: wrong, detail: {} })];
}
