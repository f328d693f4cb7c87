/** `berth down`: asks the server to stop and waits until it has. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import type { GlobalOptions } from './program.ts';
import { EXIT } from './report.ts';
import { dataFolder, runningServer } from './server-address.ts';

/** Requests under way may end; after this the process is ended, in ms. */
const GRACE_MS = 60_000;
const LOOK_EVERY_MS = 20;

export interface DownOptions extends GlobalOptions {
  readonly instances?: boolean;
}

export async function run({ world, output }: Context, options: DownOptions): Promise<number> {
  const { background, clock, interrupted } = world;
  const data = dataFolder(world, options);
  const note = await runningServer(world, data);
  if (!note) {
    if (output.isJson) output.json({ stopped: false });
    else output.note(`Berth is not running for ${data}.`);
    return EXIT.ok;
  }
  const step = output.step(`Stopping Berth at ${note.listen}`);
  background.signal(note.pid, options.instances ? 'SIGUSR2' : 'SIGTERM');
  const deadline = clock.now() + GRACE_MS;
  while (background.isServer(note.pid)) {
    if (clock.now() > deadline) {
      background.signal(note.pid, 'SIGKILL');
      const rest = options.instances
        ? 'how many instances are left is not known'
        : 'its instances stay';
      step.fail(`Berth did not stop in time and was ended; ${rest}`);
      throw new BerthError('INTERNAL', {
        detail: `Process ${note.pid} took longer than 60 s to stop.`,
      });
    }
    await clock.sleep(LOOK_EVERY_MS, interrupted);
    if (interrupted.aborted) return EXIT.interrupted;
  }
  const left = options.instances ? await instancesLeft(data, note.pid) : undefined;
  const said = options.instances ? leftInWords(left, data) : 'its instances stay';
  step.done(`Berth has stopped, and ${said}; \`berth up\` brings everything back`);
  const counted = left === undefined ? {} : { instancesLeft: left };
  if (output.isJson) output.json({ stopped: true, pid: note.pid, ...counted });
  return options.instances && left !== 0 ? EXIT.failure : EXIT.ok;
}

/** As the server counted them at its end; undefined when it did not come to that. */
async function instancesLeft(data: string, pid: number): Promise<number | undefined> {
  try {
    const text = await readFile(join(data, 'left.json'), 'utf8');
    const counted = JSON.parse(text) as { readonly pid?: number; readonly instances?: number };
    return counted.pid === pid ? counted.instances : undefined;
  } catch {
    return undefined;
  }
}

function leftInWords(left: number | undefined, data: string): string {
  if (left === 0) return 'no instance is left';
  const what =
    left === undefined ? 'did not count what is left' : `left ${count(left, 'instance')}`;
  return `${what}: ${join(data, 'serve.log')} says why`;
}
