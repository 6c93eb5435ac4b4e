/** Contract of a scanner, which finds the ends of replies in arriving bytes without keeping them. */

/** Receives the findings of a {@link Scanner}. */
export interface ReplySink {
  /**
   * Called with a whole message of `length` bytes, all its fragments together. Its first `available` bytes
   * begin at `bytes[start]`, as many as the sink needs. They are valid only during the call.
   *
   * @param isText whether it is a text message; false on a raw connection
   */
  replyMessage(length: number, bytes: Buffer, start: number, available: number, isText: boolean): void;
  /** Called with a ping. The payload is valid only during the call. */
  replyPing(payload: Uint8Array): void;
  replyPong(payload: Uint8Array): void;
  /** Called with a close frame; `code` is 1005 if the frame has none. The scanner reads nothing after it. */
  replyClose(code: number): void;
  /** Called when the peer breaks the protocol. The scanner reads nothing after that. */
  replyError(reason: string): void;
}

export interface Scanner {
  /** Reads `input[0, length)`, which may be cut at any byte. */
  scan(input: Buffer, length: number): void;
}
