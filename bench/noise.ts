/** A process of its own that asks for one thing at a fixed rate: its argument is the load as JSON. */
import { type Answers, type Noise, paced } from './load.ts';

const { target, pace } = JSON.parse(process.argv[2] ?? '{}') as Noise;
// The one who started it is gone: nobody listens any more.
process.once('disconnect', () => process.exit());
const answers: Answers = {};
setInterval(() => process.send?.(answers), 500);
await paced(target, pace, answers);
process.exit();
