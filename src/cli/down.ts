/** `berth down`: asks the server to stop and waits until it has. */
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';
import { dataFolder, runningServer } from './server-address.ts';

/** Requests under way may end; after this the process is ended, in ms. */
const GRACE_MS = 60_000;
const LOOK_EVERY_MS = 20;

export interface DownOptions extends GlobalOptions {
  readonly instances?: boolean;
}

export async function run({ world, output }: Context, options: DownOptions): Promise<void> {
  const { background, clock, interrupted } = world;
  const data = dataFolder(world, options);
  const note = await runningServer(world, data);
  if (!note) {
    if (output.isJson) output.json({ stopped: false });
    else output.note(`Berth is not running for ${data}.`);
    return;
  }
  const step = output.step(`Stopping Berth at ${note.listen}`);
  background.signal(note.pid, options.instances ? 'SIGUSR2' : 'SIGTERM');
  const deadline = clock.now() + GRACE_MS;
  while (background.isServer(note.pid)) {
    if (clock.now() > deadline) {
      background.signal(note.pid, 'SIGKILL');
      step.fail('Berth did not stop in time and was ended; instances are untouched');
      throw new BerthError('INTERNAL', {
        detail: `Process ${note.pid} took longer than 60 s to stop.`,
      });
    }
    await clock.sleep(LOOK_EVERY_MS, interrupted);
    if (interrupted.aborted) return;
  }
  const left = options.instances ? 'no instance is left' : 'its instances stay';
  step.done(`Berth has stopped, and ${left}; \`berth up\` brings everything back`);
  if (output.isJson) output.json({ stopped: true, pid: note.pid });
}
