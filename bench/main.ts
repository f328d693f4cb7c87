/** `script/bench [P1 P2 …] [--json FILE]`: measures both sides in one run and prints ratios, whatever they are. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { burstMeasure } from './burst.ts';
import { describe, type Measure, type Result } from './measure.ts';
import { exactlyOnce } from './exactly-once.ts';
import { knative } from './knative.ts';
import { sleepers } from './many.ts';
import { neighbour } from './neighbour.ts';
import { proxyCpu, proxyLatency } from './proxy-cost.ts';
import { reclaimed } from './reclaim.ts';
import { redeployed } from './redeploy.ts';
import { scale } from './scale.ts';
import { starts } from './starts.ts';
import { switching } from './switch.ts';
import { parked, thaw } from './wake.ts';

const MEASURES: readonly Measure[] = [
  thaw,
  parked,
  burstMeasure,
  proxyCpu,
  proxyLatency,
  redeployed,
  switching,
  exactlyOnce,
  sleepers,
  neighbour,
  reclaimed,
  scale,
  starts,
  knative,
];
/** Bars that are measured along with another one. */
const ALONG_WITH: Readonly<Record<string, string>> = { P3: 'P1' };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' } },
});
const asked = new Set(
  positionals.map((name) => ALONG_WITH[name.toUpperCase()] ?? name.toUpperCase()),
);
for (const name of asked) {
  if (MEASURES.some((measure) => measure.name === name)) continue;
  console.error(
    `There is no measure ${name}: choose from ${MEASURES.map((measure) => measure.name).join(', ')}.`,
  );
  process.exit(2);
}

const results: Result[] = [];
let couldNotMeasure = 0;
for (const measure of MEASURES) {
  if (asked.size > 0 && !asked.has(measure.name)) continue;
  console.log(`${measure.name}: ${measure.title}`);
  try {
    const found = await measure.run((line) => console.log(`    ${line}`));
    results.push(...found);
    for (const result of found) console.log(`  ${describe(result)}`);
  } catch (error) {
    couldNotMeasure += 1;
    console.log(
      `  could not be measured: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
process.exitCode = couldNotMeasure > 0 ? 1 : 0;
