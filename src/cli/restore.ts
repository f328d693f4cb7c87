/** `berth restore`: fills an empty data folder from a backup; the next `berth up` serves it. */
import { resolve } from 'node:path';
import { BerthError } from '../core/errors.ts';
import { bytesInWords } from '../core/words.ts';
import type { Context } from './context.ts';
import { count } from './format.ts';
import { type PassphraseOptions, readPassphrase } from './passphrase.ts';
import type { GlobalOptions } from './program.ts';
import { dataFolder, runningServer } from './server-address.ts';

export interface RestoreCommandOptions extends GlobalOptions, PassphraseOptions {
  readonly engine: 'podman' | 'memory';
  readonly storage?: string;
}

const SAID = {
  checking: 'Checking the backup',
  files: 'Writing files',
  images: 'Giving the engine its images',
} as const;
const SHOWN = 10;

export async function run(
  { world, output }: Context,
  file: string,
  options: RestoreCommandOptions,
): Promise<void> {
  const data = dataFolder(world, options);
  const running = await runningServer(world, data);
  if (running) {
    throw new BerthError('SERVER_RUNNING', {
      detail: `Process ${running.pid} serves ${data}: a restore is for a folder without data.`,
    });
  }
  const passphrase = await readPassphrase(world, options, false);
  const step = output.step('Restoring');
  try {
    const restored = await world.restore({
      file: resolve(world.folder, file),
      passphrase,
      data,
      engine: options.engine,
      ...(options.storage === undefined ? {} : { storage: resolve(world.folder, options.storage) }),
      tell: (what) => step.update(SAID[what]),
    });
    const { deployments, images, bytes, createdAt, withoutImage } = restored;
    step.done(
      `Restored ${count(deployments, 'deployment')} and ${count(images, 'image')} (${bytesInWords(bytes)}) as of ${createdAt}`,
    );
    if (withoutImage.length > 0) {
      const names = withoutImage.slice(0, SHOWN).join(', ');
      const more = withoutImage.length > SHOWN ? ` and ${withoutImage.length - SHOWN} more` : '';
      output.note(`  Without an image, to be deployed again: ${names}${more}`);
    }
    if (output.isJson) output.json({ data, ...restored });
    else if (!output.isTerminal) output.print(data);
    else output.note(`  \`berth up --data ${data}\` serves it, with the options it had before.`);
  } catch (error) {
    step.fail('Nothing was restored');
    throw error;
  }
}
