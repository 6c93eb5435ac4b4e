import type { UwsResponse } from './uws-response.ts';

/** The body of a reply that is written in pieces. */
export interface StreamedBody {
  /** The part of the latest chunk that uWS has not taken, or null. */
  waiting: Uint8Array | null;
  /** Milliseconds since the client last took bytes. */
  stalledMs: number;
  /** Writes the next chunk. The previous one must have been taken. */
  write(chunk: Uint8Array): void;
  /** Writes waiting bytes, from inside uWS's `onWritable`. */
  push(): void;
  /** Writes waiting bytes, from any other place. */
  retry(): void;
  /** Copies waiting bytes, because the chunk is valid during the call only. */
  copyWaiting(): void;
}

/** The reply that a body belongs to. */
export interface BodyOwner {
  readonly response: UwsResponse;
  /** Whether the head leaves with the next {@link cork}. */
  readonly headWaits: boolean;
  /** Whether the reply is answered or aborted. The response must not be used then. */
  readonly isOver: boolean;
  /**
   * Corks the head, if it has not left, together with the output of `write`. `room` is the number of bytes
   * that may be added.
   */
  cork(write: (room: number) => void): void;
  /** Called when the end of the body is being written. */
  finish(): void;
  /** Stops reading from the client if this reply ends the connection. */
  stopReadingIfLast(): void;
}
