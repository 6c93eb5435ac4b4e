/**
 * Selects the elements with the highest scores. Among equal scores, the first elements win. Selecting 50 of
 * 10,000 takes less than a millisecond.
 *
 * @param scores scores of all elements
 * @param max number of elements to select
 * @returns the indices of the selected elements, ascending
 */
export function topScores(scores: Float64Array, max: number): number[] {
  if (scores.length <= max) return Array.from(scores.keys());
  const sorted = scores.slice().sort();
  const min = sorted[sorted.length - max]!;
  let equal = max;
  for (const score of scores) if (score > min) equal--;
  const chosen: number[] = [];
  for (const [index, score] of scores.entries()) {
    if (score < min || (score === min && equal-- <= 0)) continue;
    chosen.push(index);
  }
  return chosen;
}
