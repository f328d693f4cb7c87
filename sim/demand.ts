/** How a world says that something is not as it must be. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
