/** Runs one command line to its exit code: parse, act, and report what fails. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import { BerthError } from '../core/errors.ts';
import type { Context } from './context.ts';
import { createOutput } from './output.ts';
import { createProgram, type GlobalOptions } from './program.ts';
import { EXIT, exitCode, report, toBerthError } from './report.ts';
import {
  type AddressOptions,
  dataFolder,
  remoteServer,
  runningServer,
  urlOf,
} from './server-address.ts';
import type { World } from './world.ts';

/** Never throws: failures are reported on stderr. @param args without the program's own name. */
export async function run(world: World, args: readonly string[]): Promise<number> {
  // Known before parsing, because a command line that cannot be parsed is reported as asked too.
  const output = createOutput(world, args.includes('--json'));
  const context: Context = { world, output };
  let globals: GlobalOptions = {};
  let done: number = EXIT.ok;
  try {
    const program = createProgram(world, await isForDeploy(world, args), async (load, given) => {
      globals = given.at(-1) ?? {};
      const command = await load();
      const code = await command.run(context, ...given);
      if (typeof code === 'number') done = code;
    });
    const parsed = program.parseAsync([...args], { from: 'user' });
    // The server ends in order by itself; everything else is simply left.
    await (args.includes('serve') ? parsed : Promise.race([parsed, interruption(world)]));
    return world.interrupted.aborted && !args.includes('serve') ? EXIT.interrupted : done;
  } catch (error) {
    output.close();
    if (world.interrupted.aborted) return EXIT.interrupted;
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const failure = error instanceof CommanderError ? usageError(error) : toBerthError(error);
    // What could not be parsed gave no options.
    const data = globals.data ?? dataIn(args);
    const pages = await pagesAddress(world, data === undefined ? {} : { data });
    for (const line of report(failure, output, pages)) world.stderr.write(`${line}\n`);
    return exitCode(failure);
  } finally {
    output.close();
  }
}

/** Rejects when ctrl-C is pressed. */
function interruption(world: World): Promise<never> {
  return new Promise((_resolve, reject) => {
    const left = () => reject(new BerthError('DEPLOY_INTERRUPTED', { detail: 'Interrupted.' }));
    if (world.interrupted.aborted) left();
    world.interrupted.addEventListener('abort', left, { once: true });
  });
}

/** `error: unknown option '--slto'\n(Did you mean --slot?)` → USAGE with one sentence. */
function usageError(error: CommanderError): BerthError {
  const detail = error.message
    .replace(/^error: /, '')
    .replace(/\n/g, ' ')
    .trim();
  return new BerthError('USAGE', { detail });
}

/**
 * Whether the arguments are those of `berth deploy` without the word: none, options first, or a folder.
 * A misspelt command is none of these, and gets Commander's suggestion.
 */
async function isForDeploy(world: World, args: readonly string[]): Promise<boolean> {
  const first = firstOperand(args);
  if (first === undefined) return !args.some((arg) => ['-h', '--help'].includes(arg));
  if (/^\.{0,2}\//.test(first) || first === '.' || first === '..') return true;
  return stat(resolve(world.folder, first)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The first argument that is neither a global option nor its value; undefined when another option comes before. */
function firstOperand(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--data') index += 1;
    else if (arg !== '--json' && !arg.startsWith('--data=')) {
      return arg.startsWith('-') ? undefined : arg;
    }
  }
  return undefined;
}

/** The value of `--data`, wherever it stands. */
function dataIn(args: readonly string[]): string | undefined {
  const index = args.indexOf('--data');
  if (index !== -1) return args[index + 1];
  return args.find((arg) => arg.startsWith('--data='))?.slice('--data='.length);
}

/** Where to read error pages: a server that runs here serves them. */
async function pagesAddress(world: World, place: AddressOptions): Promise<string> {
  const remote = await remoteServer(world, place).catch(() => undefined);
  if (remote) return remote.url;
  const note = await runningServer(world, dataFolder(world, place)).catch(() => undefined);
  return note ? urlOf(note.listen) : '';
}
