/**
 * Chooses the elements with the highest scores, of equal ones the first. To choose 50 of 10,000 takes less than a
 * millisecond.
 *
 * @param scores of all elements
 * @param max elements to choose
 * @returns the numbers of the chosen elements, ascending
 */
export function topScores(scores: Float64Array, max: number): number[] {
  if (scores.length <= max) return Array.from(scores.keys());
  const sorted = scores.slice().sort();
  const least = sorted[sorted.length - max]!;
  let equal = max;
  for (const score of scores) if (score > least) equal--;
  const chosen: number[] = [];
  for (const [index, score] of scores.entries()) {
    if (score < least || (score === least && equal-- <= 0)) continue;
    chosen.push(index);
  }
  return chosen;
}
