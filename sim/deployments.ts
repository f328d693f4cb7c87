/** The deployments of a world, drawn from its seed. */
import type { Configuration, Deployment, IdleRest } from '../src/core/model.ts';
import { WAKE_RULES } from './probes.ts';
import type { SeededRandom } from './random.ts';

const RESTS: readonly IdleRest[] = ['freeze', 'freeze', 'freeze', 'stop', 'run'];

export function drawDeployment(random: SeededRandom, project: string): Deployment {
  return {
    id: `${project}-00000000`,
    project,
    source: { kind: 'image', reference: 'any' },
    configuration: {
      slot: { cpus: 0.125, memoryMiB: 512 },
      limits: {
        maxConcurrentReqs: random.between(1, 10),
        durationMs: random.between(30_000, 300_000),
        timeoutMs: random.between(1_000, 60_000),
      },
      scale: { min: 0, max: random.between(1, 8) },
      idle: random.any(RESTS),
      env: {},
      buildEnv: {},
    },
    state: 'ready',
    image: { id: 'sha256:any', bytes: 1, layers: [], exposedPorts: [] },
    createdAt: 0,
    createdBy: 'sim',
  };
}

/** The same with a health path and rules about waking, now and then. */
export function drawMore(deployment: Deployment, random: SeededRandom): Deployment {
  return withMore(deployment, {
    ...(random.chance(0.3) ? { healthPath: '/up' } : {}),
    ...(random.chance(0.4) ? { wake: random.any(WAKE_RULES) } : {}),
  });
}

/** One that nobody but scanners asks for. */
export function drawQuiet(random: SeededRandom): Deployment {
  const idle = random.chance(0.5) ? 'freeze' : 'stop';
  return withMore(drawDeployment(random, 'quiet'), { idle, wake: random.any(WAKE_RULES) });
}

/** One of a team with a plan: instances that are always kept would leave the others nothing. */
export function drawOfTeam(random: SeededRandom, index: number): Deployment {
  const idle = random.chance(0.7) ? 'freeze' : 'stop';
  return withMore(drawDeployment(random, `team${index}`), { idle });
}

function withMore(deployment: Deployment, more: Partial<Configuration>): Deployment {
  return { ...deployment, configuration: { ...deployment.configuration, ...more } };
}
