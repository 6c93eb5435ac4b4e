import type { HeaderList } from './http-reply.ts';

/** Reads the body of a request. */
export interface RequestBodySink {
  /** Takes the next bytes, at least one. They are valid during the call only. {@link RequestBody.pause} pauses the body. */
  requestData(bytes: Uint8Array): void;
  /** The whole body has come. @param trailers the fields behind it that may be passed on; missing if there are none */
  requestEnd(trailers?: HeaderList): void;
}

/**
 * The body of one request. Each engine implements it. Bytes wait until a sink reads them, and the client is paused while
 * many wait. The sink hears nothing more once the client has gone or the request has been answered.
 */
export interface RequestBody {
  /** Bytes that have come. */
  readonly received: number;
  /** Bytes that wait for the sink. */
  readonly waiting: number;
  /** Whether the whole body has come. */
  readonly ended: boolean;
  /** Calls back when bytes, or the end of the body, have come and wait for a sink. */
  onWaiting(callback: () => void): void;
  /** Hands the body to a sink: the waiting bytes before this returns, the others as they come. */
  read(sink: RequestBodySink): void;
  /** Hands over nothing more until {@link resume}, and lets the client wait. */
  pause(): void;
  resume(): void;
}
