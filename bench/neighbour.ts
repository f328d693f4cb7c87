/** P11: what a deployment at a tenth of its capacity notices of another one that gets a hundred times its own. */
import { type Answers, beside, flood, paced } from './load.ts';
import { atMost, type Measure } from './measure.ts';
import { Server } from './server.ts';
import { describeMs, median, summarise } from './statistics.ts';

const ROUNDS = 5;
const SECONDS = 6;
/** A room that fills, or 2,500 connections that end, are over after this: both sides are measured in steady state. */
const SETTLE_SECONDS = 3;
/** A whole core, so that no CPU quota cuts the times: the router is what is measured. */
const VICTIM_SLOT = 'c1-m512';
const LIMITS = { timeout: 1_800_000, duration: 1_800_000 };
/** Two requests at a time, each of 100 ms: 20 requests per second, and no CPU of the app's to speak of. */
const NOISY = { limits: { ...LIMITS, maxConcurrentReqs: 2 }, scale: { min: 0, max: 1 } };
const NOISY_SLEEP_MS = 100;
const NOISY_PER_SECOND = (1_000 / NOISY_SLEEP_MS) * NOISY.limits.maxConcurrentReqs;
/** More connections than its waiting room has places: those of the room stand still, the rest keep the rate up. */
const NOISE_CONNECTIONS = 2_500;
/** From several clients: one alone may not have so many connections, and would be refused before it asked. */
const NOISE_FROM = ['127.0.0.10', '127.0.0.11', '127.0.0.12', '127.0.0.13'];

export const neighbour: Measure = {
  name: 'P11',
  title: 'a deployment beside one that gets a hundred times what it can serve',
  async run(say) {
    const server = await Server.start();
    try {
      const scale = { min: 0, max: 1 };
      const victim = await server.deploy({
        ...{ slot: VICTIM_SLOT, limits: LIMITS, scale },
        env: { ROLE: 'victim' },
      });
      const noisy = await server.deploy({ ...NOISY, env: { ROLE: 'noisy' } });
      await flood(victim, { connections: 4, seconds: 1 });
      const full = await flood(victim, { connections: 8, seconds: 3 });
      const pace = {
        perSecond: Math.max(20, Math.floor(full.perSecond / 10)),
        connections: 32,
        seconds: SECONDS,
      };
      const noise = {
        perSecond: NOISY_PER_SECOND * 100,
        connections: NOISE_CONNECTIONS,
        from: NOISE_FROM,
        seconds: 60,
      };
      say(
        `victim: ${Math.round(full.perSecond)} requests/s at most, gets ${pace.perSecond}; noisy: ${NOISY_PER_SECOND} at most, gets ${noise.perSecond}`,
      );
      const aloneMs: number[] = [];
      const besideMs: number[] = [];
      const noiseAnswers: Answers[] = [];
      let errors = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        await paced(victim, { ...pace, seconds: SETTLE_SECONDS });
        const alone = await paced(victim, pace);
        const loud = await beside({
          target: { ...noisy, path: `/?sleep=${NOISY_SLEEP_MS}` },
          pace: noise,
        });
        try {
          await paced(victim, { ...pace, seconds: SETTLE_SECONDS });
          const disturbed = await paced(victim, pace);
          errors += alone.errors + disturbed.errors;
          const [before, after] = [summarise(alone.ms), summarise(disturbed.ms)];
          say(`alone: ${describeMs(before)}; beside: ${describeMs(after)}`);
          aloneMs.push(before.p99);
          besideMs.push(after.p99);
        } finally {
          const answers = await loud.stop();
          noiseAnswers.push(answers);
          say(`the noisy one was answered ${describeAnswers(answers)}`);
        }
        await server.until([noisy], (states) => states.join() === 'ready');
      }
      const ratios = besideMs.map((ms, round) => ms / (aloneMs[round] ?? ms));
      return [
        atMost(1.2, {
          name: 'P11',
          what: `p99 of the victim beside the noisy one ÷ alone, median of ${ROUNDS} rounds`,
          unit: 'ratio',
          value: median(ratios),
          detail: { pace, noise, noiseAnswers, aloneMs, besideMs, ratios },
        }),
        atMost(0, {
          name: 'P11',
          what: 'errors of the victim',
          unit: 'count',
          value: errors,
          detail: {},
        }),
      ];
    } finally {
      await server.close();
    }
  },
};

function describeAnswers(answers: Answers): string {
  return Object.entries(answers)
    .map(([kind, count]) => `${kind} ${count} times`)
    .join(', ');
}
