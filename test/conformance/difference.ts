/** A row of the table of differences between engines. */

/** A difference that clients, endpoints or operators can observe. */
interface Difference {
  readonly what: string;
  /** The engines `raw` and `net`. */
  readonly own: string;
  readonly uws: string;
  readonly why: string;
  /** The test that checks it: a suite's case, or a file. */
  readonly held: string;
}

export interface DifferenceGroup {
  readonly title: string;
  readonly rows: readonly Difference[];
}
