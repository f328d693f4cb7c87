/** Long decisions in steps: between two of them whoever asked may let others have their turn. */

/** A decision under way. It yields nothing but the chance to pause. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** So many small things hold a thread for well under a millisecond. */
const THINGS_PER_STEP = 200;

/** What `each` gives for every item, with a pause now and then. */
export function* eachInSteps<Item, Result>(
  items: Iterable<Item>,
  each: (item: Item) => Result,
): Steps<Result[]> {
  const results: Result[] = [];
  for (const item of items) {
    results.push(each(item));
    if (results.length % THINGS_PER_STEP === 0) yield undefined;
  }
  return results;
}

/** All steps at once. */
export function allSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
