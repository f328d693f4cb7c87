/** Which environment of which project a command is about. */
import { findConfig } from '../config/read.ts';
import type { Context } from './context.ts';
import type { GlobalOptions } from './program.ts';

export interface EnvironmentOptions extends GlobalOptions {
  readonly env: string;
  readonly name?: string;
}

/** The project that was named, else that of the folder. Throws what reading its configuration throws. */
export async function projectOf(
  { world }: Context,
  { name }: Pick<EnvironmentOptions, 'name'>,
): Promise<string> {
  return name ?? (await findConfig(world.folder)).name;
}
