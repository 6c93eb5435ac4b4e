/** What a row of the table of differences between engines says. */

/** One thing that clients, endpoints or operators can see. */
interface Difference {
  readonly what: string;
  /** The engines `raw` and `net`. */
  readonly own: string;
  readonly uws: string;
  readonly why: string;
  /** Where a test holds it: a suite's case, or a file. */
  readonly held: string;
}

export interface DifferenceGroup {
  readonly title: string;
  readonly rows: readonly Difference[];
}
