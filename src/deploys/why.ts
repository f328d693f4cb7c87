/** An error as a plain value for the log. */
import { inspect } from 'node:util';

/** With its stack and causes, for it is an error nobody expected; a catalogue error has its code in it too. */
export function why(error: unknown): string {
  return inspect(error);
}
