/** Bytes that break the protocol by which they are read. */
export class Malformed {
  /** What is wrong, in a few words for the log: no bytes of the sender's. */
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/**
 * What a reader says of the bytes so far. Null: more bytes must come. Anything else is final: more bytes would not change it,
 * and where the bytes are cut makes no difference.
 */
export type ReadResult<Found> = Found | Malformed | null;
