/** `berth status`: the running server in a few lines. */
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { age } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { urlOf } from './server-address.ts';
import { printFields } from './table.ts';

export async function run(context: Context, options: GlobalOptions): Promise<void> {
  const { world, output } = context;
  const client = await connect(context, options);
  const status = await client.status();
  if (output.isJson) {
    output.json(status);
    return;
  }
  const { engine, counts } = status;
  const since = age(world.clock.now() - Date.parse(status.startedAt));
  const fields: readonly (readonly [string, string])[] = [
    ['address', urlOf(status.listen)],
    ...(status.listenTls === undefined
      ? []
      : [['https', urlOf(status.listenTls, 'https')] as const]),
    ['deployments', `${list(counts.deployments) || 'none'}, at *.${status.domain}`],
    ['instances', list(counts.instances) || 'none'],
    [
      'engine',
      `${engine.name} ${engine.version}, ${engine.runtime}, cgroup v${engine.cgroupVersion}`,
    ],
    ['version', `${status.version}, up for ${since}, process ${status.pid}`],
    ['data', status.dataFolder],
    [
      'loop lag',
      `${status.eventLoopLagMs.p99.toFixed(1)} ms p99, ${status.eventLoopLagMs.max.toFixed(1)} ms at most`,
    ],
  ];
  printFields(output, fields);
}

/** `2 ready, 1 failed`. */
function list(counts: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(counts)
    .filter(([, number]) => number)
    .map(([state, number]) => `${number} ${state}`)
    .join(', ');
}
