/** What somebody may have meant by a word that is not known. */

/** The known word that a misspelt one most likely stands for; undefined when none is near. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const wanted = key.toLowerCase().replace(/[^a-z0-9$]/g, '');
  if (wanted === '') return undefined;
  const begun = known.filter(
    (candidate) => wanted.length >= 3 && candidate.toLowerCase().startsWith(wanted),
  );
  if (begun.length === 1) return begun[0];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance; long texts are cut, since keys are short. */
function editDistance(a: string, b: string): number {
  const left = a.slice(0, 40);
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = left[row - 1] === b[column - 1] ? 0 : 1;
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + same,
        ),
      );
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
