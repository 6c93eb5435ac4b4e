/** Both sides of the seam between a tap and whoever reads it. */

/** Reads the lines of a tap: a connection of the admin server. */
export interface TapReader {
  /**
   * Takes complete lines, and sends them behind those before.
   *
   * @param onTaken called once when the kernel has the lines; never if the reader has gone
   */
  write(lines: Buffer, onTaken: () => void): void;
  /** Ends the stream after what has been written. Resolves when the reader has everything, or has gone. */
  end(): Promise<void>;
}

/** Writes to a reader. */
export interface TapSource {
  /** Gives the tap its reader. Call this once. */
  begin(reader: TapReader): void;
  /** The reader has gone, or does not read. @param reason for the log */
  leave(reason: string): void;
}
