/** `berth serve`: runs the server in this process until it is told to stop. */
import { resolve } from 'node:path';
import type { Context } from './context.ts';
import type { ServerOptions } from './program.ts';
import { dataFolder } from './server-address.ts';

export async function run({ world }: Context, options: ServerOptions): Promise<void> {
  await world.serve({
    data: dataFolder(world, options),
    listen: options.listen,
    domain: options.domain,
    engine: options.engine,
    ...(options.memoryBudget === undefined ? {} : { memoryBudgetMiB: options.memoryBudget }),
    ...(options.buildTimeout === undefined ? {} : { buildTimeoutMs: options.buildTimeout }),
    ...(options.storage === undefined ? {} : { storage: resolve(world.folder, options.storage) }),
  });
}
