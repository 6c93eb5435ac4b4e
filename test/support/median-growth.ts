/**
 * Returns the median difference between one size and the next. A leak adds to the process in every round; the heap of
 * V8 and the allocator's pools grow only in some.
 */
export function medianGrowth(sizes: readonly number[]): number {
  if (sizes.length < 2) throw new RangeError('growth needs two sizes');
  const growths = sizes.slice(1).map((size, index) => size - sizes[index]!);
  return growths.toSorted((a, b) => a - b)[Math.floor(growths.length / 2)]!;
}
