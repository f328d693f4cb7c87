/** What every command gets: the world, a way to speak, and a way to the server. */
import type { Output } from './output.ts';
import type { World } from './world.ts';

export interface Context {
  readonly world: World;
  readonly output: Output;
}
