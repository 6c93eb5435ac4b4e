/** Contract: finds the ends of replies in the bytes that arrive, without keeping them. */

/** Receives the findings of a {@link Scanner}. */
export interface ReplySink {
  /**
   * A whole message of `length` bytes, all its fragments together. Its first `available` bytes begin at
   * `bytes[start]`, for those who asked for them; valid during the call only.
   *
   * @param isText whether it is a text message; false on a raw connection
   */
  replyMessage(length: number, bytes: Buffer, start: number, available: number, isText: boolean): void;
  /** The payload is valid during the call only. */
  replyPing(payload: Uint8Array): void;
  replyPong(payload: Uint8Array): void;
  /** A close frame; 1005 if it has no code. Nothing is read after it. */
  replyClose(code: number): void;
  /** The peer broke the protocol. Nothing is read after it. */
  replyError(reason: string): void;
}

export interface Scanner {
  /** Reads `input[0, length)`, which may be cut at any byte. */
  scan(input: Buffer, length: number): void;
}
