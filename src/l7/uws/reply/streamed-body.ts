import type { UwsResponse } from './uws-response.ts';

/** The body of a reply that is written piece by piece. */
export interface StreamedBody {
  /** The part of the latest chunk that uWS has not taken; null if it has taken everything. */
  waiting: Uint8Array | null;
  /** Milliseconds in which the client has taken nothing. */
  stalledMs: number;
  /** Writes the next chunk, when nothing waits. */
  write(chunk: Uint8Array): void;
  /** Writes what waits, from within uWS's `onWritable`. */
  push(): void;
  /** Writes what waits, from anywhere else. */
  retry(): void;
  /** Copies what waits, because the chunk is lent for the call only. */
  copyWaiting(): void;
}

/** The reply that a body belongs to. */
export interface BodyOwner {
  readonly response: UwsResponse;
  /** Whether the head has not left yet, and leaves with the next {@link cork}. */
  readonly headWaits: boolean;
  /** Answered or aborted: the response must not be touched any more. */
  readonly isOver: boolean;
  /** Corks the head, if it has not left, and what `write` adds. `room` is the number of bytes that may be added. */
  cork(write: (room: number) => void): void;
  /** The end of the body is being written. */
  finish(): void;
  /** Reads no more from the client if the connection ends with this reply. */
  stopReadingIfLast(): void;
}
