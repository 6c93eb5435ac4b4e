/** Contract: finds the ends of replies in arriving bytes, without keeping the bytes. */

/** Receives the results of a {@link Scanner}. */
export interface ReplySink {
  /**
   * Called when a whole message is complete, with all its fragments. `bytes` is valid during the call only.
   *
   * @param length payload bytes of the message
   * @param start offset of its first bytes in `bytes`
   * @param available number of its first bytes in `bytes`: at least those that the sink asked for
   * @param isText whether it is a text message. False on a raw connection
   */
  replyMessage(length: number, bytes: Buffer, start: number, available: number, isText: boolean): void;
  /** Called when a ping arrives. The payload is valid during the call only. */
  replyPing(payload: Uint8Array): void;
  replyPong(payload: Uint8Array): void;
  /** Called when a close frame arrives, with 1005 if it has no code. Nothing is read after it. */
  replyClose(code: number): void;
  /** Called when the peer breaks the protocol. Nothing is read after it. */
  replyError(reason: string): void;
}

export interface Scanner {
  /** Reads `input[0, length)`. Input may be split at any byte. */
  scan(input: Buffer, length: number): void;
}
