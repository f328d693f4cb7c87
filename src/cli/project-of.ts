/** The project that a command is about: the one named, or that of the folder, by the same rule as `berth deploy`. */
import { findConfig } from '../config/read.ts';
import type { Context } from './context.ts';

/** Throws what reading the configuration of the folder throws. */
export async function projectOf({ world }: Context, named: string | undefined): Promise<string> {
  return named ?? (await findConfig(world.folder)).name;
}
