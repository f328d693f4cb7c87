/** `npm run sim -- --seed 123` replays one world; `--seeds 5000` tries that many and names those that fail. */
import { parseArgs } from 'node:util';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '40' },
    /** The first one of `--seeds`: so many can be tried in slices. */
    from: { type: 'string', default: '1' },
    /** With what there was when the seeds in sim.test.ts were found, and no more. */
    old: { type: 'boolean', default: false },
    steps: { type: 'string', default: '150' },
  },
});

const steps = Number(values.steps);
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => Number(values.from) + index)
    : [Number(values.seed)];
let failed = 0;
for (const seed of seeds) {
  const world = new World(seed, values.old);
  try {
    const { faults: _faults, trace: _trace, ...outcome } = await world.run(steps);
    if (values.seed !== undefined) {
      console.log(world.trace.join('\n'));
      console.log(outcome);
    }
  } catch (error) {
    failed += 1;
    if (values.seed !== undefined) console.log(world.trace.slice(-200).join('\n'));
    console.log(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`${seeds.length - failed} worlds held, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
