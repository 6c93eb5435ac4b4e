import type { HeaderList } from './http-reply.ts';

/** Reads the body of a request. */
export interface RequestBodySink {
  /**
   * Called with the next bytes, at least one. They are valid during the call only. May call {@link
   * RequestBody.pause}.
   */
  requestData(bytes: Uint8Array): void;
  /**
   * Called when the whole body has arrived.
   *
   * @param trailers fields that may be forwarded, missing if there are none
   */
  requestEnd(trailers?: HeaderList): void;
}

/**
 * The body of one request, implemented by each engine. Bytes are buffered until a sink reads them, and the
 * client is paused if too many are buffered. The sink is not called after the client disconnects or the
 * request is answered.
 */
export interface RequestBody {
  /** Bytes received so far. */
  readonly received: number;
  /** Bytes buffered for the sink. */
  readonly waiting: number;
  /** Whether the whole body has arrived. */
  readonly ended: boolean;
  /** Calls back when bytes or the end of the body are available to a sink. */
  onWaiting(callback: () => void): void;
  /** Passes the body to a sink: buffered bytes before this returns, the others as they arrive. */
  read(sink: RequestBodySink): void;
  /** Passes nothing more until {@link resume}, and applies backpressure to the client. */
  pause(): void;
  resume(): void;
}
