/** Where an output's bytes go: a descriptor, or a file that is opened again and rotated. A {@link LineWriter} uses it. */
export interface Destination {
  /** Path of the file; null if the destination is a descriptor. */
  readonly path: string | null;
  readonly fd: number;
  /**
   * Makes room at the end of an entry, while nothing is being written. May change {@link fd}.
   *
   * @param bytes whole entries
   * @returns how many of the bytes belong into {@link fd} now: whole entries, at least one
   */
  makeRoom(bytes: Buffer): number;
  /** Notes that bytes have been written. */
  wrote(bytes: number): void;
  /**
   * Opens the file at its path again. {@link fd} changes at the next {@link makeRoom}.
   *
   * @throws StartError if it cannot be opened: the destination stays what it is
   */
  reopen(): void;
  /** Closes what this has opened. */
  close(): void;
}
