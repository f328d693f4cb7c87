/** An error as a plain value for the log. */

/** The stack, for it is an error nobody expected; a catalogue error has its code in it too. */
export function why(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
