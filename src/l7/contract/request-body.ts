/** Who reads the body of a request. */
export interface RequestBodySink {
  /** The next bytes, valid during the call only, never none; the body is paused by {@link RequestBody.pause}. */
  requestData(bytes: Uint8Array): void;
  /** All of it has come. */
  requestEnd(): void;
}

/**
 * The body of one request, free of the server that carries it. What comes before somebody reads it waits, and
 * while more than a little waits the client is paused. Nothing more is said once the client has gone or the
 * request is answered.
 */
export interface RequestBody {
  /** Bytes that have come. */
  readonly received: number;
  /** Bytes that wait for the reader. */
  readonly waiting: number;
  /** Whether all of it has come. */
  readonly ended: boolean;
  /** Calls back when something has come that waits for a reader, the end of the body included. */
  onWaiting(callback: () => void): void;
  /** Hands what waits and what comes to a reader: at once, before it returns, where something waits. */
  read(sink: RequestBodySink): void;
  /** The reader is busy: nothing more comes before {@link resume}, and the client has to wait. */
  pause(): void;
  resume(): void;
}
