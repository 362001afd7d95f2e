/** Which name was probably meant. */

/** The known name nearest to `wanted`, when it is at most two letters off. */
export function nearest(wanted: string, known: readonly string[]): string | undefined {
  return known.find((candidate) => editDistance(wanted, candidate) <= 2);
}

/** Levenshtein: letters to insert, drop or replace. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
