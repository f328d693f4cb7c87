/** P1, P2 and P3: what the first byte costs from frozen, from parked, and beside a warm one. */
import { startBare } from './bare.ts';
import { dockerStart } from './docker.ts';
import { firstByte } from './first-byte.ts';
import { atLeast, atMost, type Measure, type Result } from './measure.ts';
import { type Deployed, Server } from './server.ts';
import { describeMs, summarise } from './statistics.ts';

/** Deployments that are woken in turn: while one is measured, the others come to rest. */
const DEPLOYMENTS = 12;
const ROUNDS = 9;

/** The shortest time to rest, and no recycling during the run. */
const LIMITS = { timeout: 1_000, duration: 1_800_000 };

const PLACEMENT =
  'client, router and app unpinned on all cores of one machine, IPv4 loopback and bridge';

interface Wakes {
  readonly bareMs: readonly number[];
  readonly wokenMs: readonly number[];
  readonly warmMs: readonly number[];
  /** Rounds in which the deployment was not at the rest that is measured. */
  readonly discarded: number;
}

/** Wakes every deployment in turn, each followed by a warm request and a bare process. */
async function wakeAll(
  server: Server,
  deployed: readonly Deployed[],
  rest: 'frozen' | 'parked',
  say: (line: string) => void,
): Promise<Wakes> {
  const bareMs: number[] = [];
  const wokenMs: number[] = [];
  const warmMs: number[] = [];
  let discarded = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    await server.until(deployed, (states) => states.join() === rest);
    for (const target of deployed) {
      const woken = await firstByte(target);
      if (woken.status !== 200 || woken.start !== (rest === 'frozen' ? 'thawed' : 'parked')) {
        discarded += 1;
        say(`discarded: status ${woken.status}, start ${woken.start ?? 'unknown'}`);
        continue;
      }
      wokenMs.push(woken.ms);
      warmMs.push((await firstByte(target)).ms);
      const bare = await startBare();
      bareMs.push(bare.ms);
      await bare.stop();
    }
  }
  return { bareMs, wokenMs, warmMs, discarded };
}

export const thaw: Measure = {
  name: 'P1',
  title: 'first byte from a sleeping deployment, and P3: what thawing adds',
  async run(say) {
    const server = await Server.start();
    try {
      const wakes = await wakeAll(
        server,
        await server.deployMany(DEPLOYMENTS, { limits: LIMITS }),
        'frozen',
        say,
      );
      const [woken, bare, warm] = [wakes.wokenMs, wakes.bareMs, wakes.warmMs].map(summarise);
      if (!woken || !bare || !warm) throw new Error('nothing was measured');
      say(`frozen, through the router: ${describeMs(woken)}`);
      say(`bare process:               ${describeMs(bare)}`);
      say(`warm, through the router:   ${describeMs(warm)}`);
      const detail = { woken, bare, warm, discarded: wakes.discarded, placement: PLACEMENT };
      return [
        atMost(0.15, {
          name: 'P1',
          what: 'sleeping deployment ÷ bare process, first byte, p50',
          unit: 'ratio',
          value: woken.p50 / bare.p50,
          detail,
        }),
        atMost(0.5, {
          name: 'P1',
          what: 'sleeping deployment ÷ bare process, first byte, p99',
          unit: 'ratio',
          value: woken.p99 / bare.p99,
          detail,
        }),
        atMost(2, {
          name: 'P3',
          what: 'thaw over warm, p50',
          unit: 'ms',
          value: woken.p50 - warm.p50,
          detail,
        }),
      ];
    } finally {
      await server.close();
    }
  },
};

export const parked: Measure = {
  name: 'P2',
  title: 'first byte from a parked deployment',
  async run(say) {
    const server = await Server.start();
    try {
      const deployed = await server.deployMany(DEPLOYMENTS, { limits: LIMITS, idle: 'stop' });
      const wakes = await wakeAll(server, deployed, 'parked', say);
      const [woken, bare] = [wakes.wokenMs, wakes.bareMs].map(summarise);
      if (!woken || !bare) throw new Error('nothing was measured');
      say(`parked, through the router: ${describeMs(woken)}`);
      say(`bare process:               ${describeMs(bare)}`);
      const docker = await dockerStart(20, say);
      say(`docker start:               ${describeMs(docker)}`);
      const detail = { woken, bare, docker, discarded: wakes.discarded, placement: PLACEMENT };
      const results: Result[] = [
        atMost(1.25, {
          name: 'P2',
          what: 'parked deployment ÷ bare process, first byte, p50',
          unit: 'ratio',
          value: woken.p50 / bare.p50,
          detail,
        }),
        atLeast(4, {
          name: 'P2',
          what: 'docker start ÷ parked deployment, first byte, p50',
          unit: 'ratio',
          value: docker.p50 / woken.p50,
          detail,
        }),
      ];
      return results;
    } finally {
      await server.close();
    }
  },
};
