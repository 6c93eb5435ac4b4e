/** The result of reading malformed bytes. */
export class Malformed {
  /** Short description for the log. Contains no received bytes. */
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/**
 * Result of an incremental reader. Null means that more bytes are needed. Any other result is final, and is
 * the same however the input was cut.
 */
export type ReadResult<Found> = Found | Malformed | null;
