/** Both sides of the seam between a tap and its reader. */

/** Receives the lines of a tap. A connection of the admin server is one. */
export interface TapReader {
  /**
   * Sends complete lines, in order.
   *
   * @param onTaken called once when the kernel has the lines. Never called if the reader has disconnected
   */
  write(lines: Buffer, onTaken: () => void): void;
  /**
   * Ends the stream after the written lines. Resolves when the reader has everything, or has disconnected.
   */
  end(): Promise<void>;
}

/** Writes lines to a reader. */
export interface TapSource {
  /** Sets the tap's reader. Call it once. */
  begin(reader: TapReader): void;
  /** Called when the reader has disconnected, or does not read. @param reason reason for the log */
  leave(reason: string): void;
}
