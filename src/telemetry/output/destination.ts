/**
 * Destination of an output's bytes: a descriptor, or a file that can be reopened and rotated. Used by {@link
 * LineWriter}.
 */
export interface Destination {
  /** Path of the file. Null for a descriptor. */
  readonly path: string | null;
  readonly fd: number;
  /**
   * Makes room at the end of an entry, while no write is in progress. May change {@link fd}.
   *
   * @param bytes whole entries
   * @returns the number of bytes to write to {@link fd} now: whole entries, at least one
   */
  makeRoom(bytes: Buffer): number;
  /** Notes that bytes were written. */
  wrote(bytes: number): void;
  /**
   * Reopens the file at its path. {@link fd} changes at the next {@link makeRoom}.
   *
   * @throws StartError if it cannot be opened; the destination then stays unchanged
   */
  reopen(): void;
  /** Closes what this destination opened. */
  close(): void;
}
