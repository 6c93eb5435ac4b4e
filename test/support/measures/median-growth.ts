/**
 * Estimates the growth from one size to the next as the median of the slopes between all pairs of sizes (Theil and Sen).
 * A leak adds to the process in every round; the heap of V8 and the allocator's pools swing between rounds.
 */
export function medianGrowth(sizes: readonly number[]): number {
  if (sizes.length < 2) throw new RangeError('growth needs two sizes');
  const slopes = sizes.flatMap((later, end) =>
    sizes.slice(0, end).map((earlier, start) => (later - earlier) / (end - start)),
  );
  return slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)]!;
}
