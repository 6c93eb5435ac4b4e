/**
 * Returns the median.
 *
 * @param values at least one
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A straight line through points, by least squares. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Fraction of the variance that the line explains, from 0 to 1. */
  readonly r2: number;
}

export type Point = readonly [x: number, y: number];

/**
 * Fits a line by least squares.
 *
 * @param points at least two, with at least two different values of x
 */
export function fitLine(points: readonly Point[]): Line {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY));
  const slope = covariance / mean(([x]) => (x - meanX) ** 2);
  const intercept = meanY - slope * meanX;
  const residual = mean(([x, y]) => (y - intercept - slope * x) ** 2);
  const variance = mean(([, y]) => (y - meanY) ** 2);
  return { slope, intercept, r2: variance === 0 ? 1 : 1 - residual / variance };
}
