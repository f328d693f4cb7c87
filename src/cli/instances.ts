/** `berth instances`: what runs, rests or is parked, and why. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age, duration } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { printTable } from './table.ts';

export async function run(
  context: Context,
  deployment: string | undefined,
  options: GlobalOptions,
): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const instances = await client.instances(deployment);
  if (output.isJson) {
    output.json(instances);
    return;
  }
  if (instances.length === 0) {
    output.note('No instances: the next request starts one.');
    return;
  }
  const now = world.clock.now();
  const rows = instances.map((instance) => [
    instance.id,
    instance.state,
    String(instance.inFlight),
    `${age(now - Date.parse(instance.createdAt))} ago`,
    duration(instance.runningMs),
    instance.address ?? '',
    instance.because,
  ]);
  const header = ['INSTANCE', 'STATE', 'REQUESTS', 'CREATED', 'RAN', 'ADDRESS', 'BECAUSE'];
  printTable(output, header, rows);
}
